# quit-before-login.t    RFC 1939 section 4
S: +OK *
C: QUIT
S: +OK *
eof
