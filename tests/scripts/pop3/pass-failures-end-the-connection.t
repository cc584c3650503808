# pass-failures-end-the-connection.t    [auth] failures
account alice
config auth.failures = 2
config auth.delay = 0s..0s
C: USER alice
S: +OK *
C: PASS one
S: -ERR [AUTH] *
C: USER nobody
S: +OK *
C: PASS two
S: -ERR [AUTH] *
eof
