# auth-can-be-cancelled.t    RFC 5034 section 4: a line of "*"
account alice
C: AUTH PLAIN
S: + 
C: *
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: QUIT
S: +OK *
eof
