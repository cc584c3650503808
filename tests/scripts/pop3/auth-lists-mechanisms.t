# auth-lists-mechanisms.t    RFC 5034 section 6, and what clients asked before there was CAPA
C: AUTH
S: +OK *
S: PLAIN
S: LOGIN
S: .
C: CAPA
S: +OK *
S: *...
S: SASL PLAIN LOGIN
S: *...
S: .
C: QUIT
S: +OK *
eof
