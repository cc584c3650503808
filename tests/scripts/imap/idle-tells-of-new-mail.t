# idle-tells-of-new-mail.t    RFC 2177 section 3
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b IDLE
S: + *
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
S: *...
S: * 3 EXISTS
C: DONE
S: *...
S: b OK *
C: c IDLE
S: + *
C: NONSENSE
S: c BAD *
