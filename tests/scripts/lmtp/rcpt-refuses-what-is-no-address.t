# rcpt-refuses-what-is-no-address.t    RFC 5321 section 4.1.2
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:alice@example.org
S: 501 *
C: RCPT TO:<alice@example.org
S: 501 *
C: RCPT TO:<>
S: 550 *
C: RCPT TO:<""@example.org>
S: 550 *
C: RCPT TO:<\xc3\xa4@example.org>
S: 553 5.6.7 *
C: RCPT TO:<alice@example.org> NOTIFY=NEVER
S: 555 *
C: RCPT TO:<"alice"@example.org>
S: 250 *
C: RCPT TO:<alice>
S: 250 *
