# capa-tells-how-long-mail-stays.t    RFC 2449 section 6.7: EXPIRE in days, before and after the login
account alice
config pop3.expire = 30
C: CAPA
S: +OK *
S: *...
S: EXPIRE 30
S: *...
S: .
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: CAPA
S: +OK *
S: *...
S: EXPIRE 30
S: *...
S: .
C: QUIT
S: +OK *
eof
