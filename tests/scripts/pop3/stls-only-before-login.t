# stls-only-before-login.t    RFC 2595 section 4
account alice
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: STLS
S: -ERR *
C: STLS now
S: -ERR *
