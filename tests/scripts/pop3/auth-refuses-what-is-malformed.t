# auth-refuses-what-is-malformed.t    RFC 5034 section 4, RFC 4616 section 2
account alice
account bob
C: AUTH PLAIN
S: + 
C: AGFsaWNlAHNlY3JldA
S: -ERR *
C: AUTH PLAIN =
S: -ERR *
C: AUTH PLAIN AGFsaWNl
S: -ERR *
C: AUTH PLAIN AGFsaWNlAHNlY3JldAB4
S: -ERR *
C: AUTH PLAIN Ym9iAGFsaWNlAHNlY3JldA==
S: -ERR [AUTH] *
C: AUTH CRAM-MD5
S: -ERR *
C: AUTH PLAIN YWxpY2UAYWxpY2UAc2VjcmV0
S: +OK *
C: QUIT
S: +OK *
eof
