# quit-closes.t    RFC 5321 section 4.1.1.10
S: 220 mail.example.org *
C: QUIT
S: 221 2.0.0 *
eof
