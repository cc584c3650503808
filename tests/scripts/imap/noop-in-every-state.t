# noop-in-every-state.t    RFC 3501 sections 2.2.1 and 9: tags, blanks, line ends
account alice
C: a NOOP
S: a OK *
C: a] nOOp
S: a] OK *
C: b NOOP x
S: b BAD *
C: c  NOOP
S: c BAD *
C: d NOOP\x00
S: d BAD *
C: e NOOP\x0a
S: e BAD *
C:  NOOP
S: * BAD *
C: +f NOOP
S: * BAD *
C:
S: * BAD *
C: a1 LOGIN alice secret
S: a1 OK *
C: g NOOP
S: g OK *
