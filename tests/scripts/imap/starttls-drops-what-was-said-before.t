# starttls-drops-what-was-said-before.t    RFC 3501 section 6.2.1; nothing said in plaintext runs inside TLS
account alice
pipelined no: what follows STARTTLS in one write is what this is about
C: a CAPABILITY
S: * CAPABILITY *
S: a OK *
C: b STARTTLS
S: b OK *
starttls
C: c CAPABILITY
S: * CAPABILITY *
S: c OK *
S! STARTTLS
C: d LOGIN alice secret
S: d OK *
C: e STARTTLS
S: e BAD *
