# rcpt-answers-truthfully.t    RFC 2033 section 4.2, RFC 3463 section 3.2
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: RCPT TO:<alice@example.org>
S: 503 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<nobody@example.org>
S: 550 5.1.1 *
C: RCPT TO:<alice@elsewhere.example>
S: 550 5.1.1 *
C: RCPT TO:<alice+INBOX@example.org>
S: 250 2.1.5 *
C: RCPT TO:<ALICE@EXAMPLE.ORG>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: Subject: once
C:
C: x
C: .
S: 250 2.*
S: 250 2.*
