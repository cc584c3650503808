# capa-promises-no-expiry.t    RFC 2449 section 6.7: what the server does, whatever is configured
config pop3.expire = 30d
C: CAPA
S: +OK *
S: *...
S: EXPIRE NEVER
S: *...
S: .
C: QUIT
S: +OK *
eof
