# authenticate-answered-before-it-asks.t    RFC 3501 section 6.2.2: a client that does not wait for the challenge is not waited for
account alice
C~: a AUTHENTICATE PLAIN\x0d\x0a*\x0d\x0ab AUTHENTICATE LOGIN\x0d\x0aYWxpY2U=\x0d\x0ac2VjcmV0\x0d\x0ac IDLE\x0d\x0aDONE\x0d\x0ad LOGOUT\x0d\x0a
S: + 
S: a BAD *
S: + VXNlcm5hbWU6
S: + UGFzc3dvcmQ6
S: b OK *
S: + idling
S: c OK *
S: * BYE *
S: d OK *
eof
