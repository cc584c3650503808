# pass-only-right-after-user.t    RFC 1939 section 7
account alice
config auth.delay = 0s..0s
C: PASS secret
S: -ERR *
C: USER alice
S: +OK *
C: PASS wrong
S: -ERR [AUTH] *
C: PASS secret
S: -ERR *
C: USER alice
S: +OK *
C: CAPA
S: +OK *
S: *...
S: .
C: PASS secret
S: +OK *
C: USER alice
S: -ERR *
C: PASS secret
S: -ERR *
