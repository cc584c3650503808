# rset-forgets-the-transaction.t    RFC 5321 section 4.1.1.5
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: RSET
S: 250 *
C: RCPT TO:<alice@example.org>
S: 503 *
