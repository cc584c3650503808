# noop-tells-of-new-mail.t    RFC 3501 section 6.1.2
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
connect lmtp C2
C2: LHLO c.example.net
S2: *...
S2: 250 *
C2: MAIL FROM:<x@example.net>
S2: 250 *
C2: RCPT TO:<alice@example.org>
S2: 250 *
C2: DATA
S2: 354 *
C2: Subject: new
C2:
C2: x
C2: .
S2: 250 *
C: b NOOP
S: *...
S: * 3 EXISTS
S: *...
S: b OK *
C: c NOOP
S: c OK *
