# auth-answered-before-it-asks.t    RFC 5034 section 4: a client that does not wait for the challenge is not waited for
account alice INBOX plain.eml
C~: AUTH PLAIN\x0d\x0a*\x0d\x0aAUTH LOGIN\x0d\x0aYWxpY2U=\x0d\x0ac2VjcmV0\x0d\x0aSTAT\x0d\x0aQUIT\x0d\x0a
S: + 
S: -ERR *
S: + VXNlcm5hbWU6
S: + UGFzc3dvcmQ6
S: +OK *
S: +OK 1 424
S: +OK bye
eof
