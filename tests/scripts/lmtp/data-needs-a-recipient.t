# data-needs-a-recipient.t    RFC 5321 section 4.1.4
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: DATA
S: 503 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<nobody@example.org>
S: 550 *
C: DATA
S: 503 *
