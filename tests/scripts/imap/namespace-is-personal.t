# namespace-is-personal.t    RFC 2342 section 5
account alice
C: a NAMESPACE
S: a BAD *
C: a1 LOGIN alice secret
S: a1 OK *
C: b NAMESPACE
S: * NAMESPACE (("" "/")) NIL NIL
S: b OK *
C: c NAMESPACE x
S: c BAD *
