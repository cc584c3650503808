# pass-refuses-a-wrong-password.t    RFC 1939 section 7, RFC 3206 section 4: [AUTH]
account alice
C: PASS secret
S: -ERR *
C: USER alice
S: +OK *
C: PASS wrong
S: -ERR [AUTH] *
C: STAT
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: STAT
S: +OK 0 0
C: QUIT
S: +OK *
eof
