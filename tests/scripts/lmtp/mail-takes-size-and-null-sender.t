# mail-takes-size-and-null-sender.t    RFC 5321 section 4.1.1.2, RFC 1870 section 6.1
account alice
C: MAIL FROM:<a@example.net>
S: 503 *
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<>
S: 250 2.1.0 *
C: MAIL FROM:<a@example.net>
S: 503 *
C: RSET
S: 250 *
C: MAIL FROM:<a@example.net> SIZE=1000 BODY=8BITMIME
S: 250 2.1.0 *
C: RSET
S: 250 *
C: MAIL FROM:<a@example.net> SIZE=99999999999999999999
S: 552 5.3.4 *
C: MAIL FROM:<a@example.net> SIZE=99999999999
S: 552 5.3.4 *
C: MAIL FROM:a@example.net
S: 501 *
C: MAIL FROM:<a@example.net> NONSENSE=1
S: 5*
