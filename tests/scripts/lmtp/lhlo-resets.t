# lhlo-resets.t    RFC 5321 section 4.1.4: the greeting forgets the transaction
account alice
C: LHLO a(b
S: 501 *
C: LHLO
S: 501 *
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: LHLO client.example.net
S: *...
S: 250 *
C: RCPT TO:<alice@example.org>
S: 503 *
