# vrfy-does-not-tell.t    RFC 5321 section 3.5.3: 252
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: VRFY alice
S: 252 *
C: VRFY nobody
S: 252 *
