# data-of-nothing.t    RFC 5321 section 4.1.1.4: the end may come at once
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: .
S: 250 *
C: DATA
S: 503 *
C: NOOP
S: 250 *
