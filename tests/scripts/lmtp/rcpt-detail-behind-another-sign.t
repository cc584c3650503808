# rcpt-detail-behind-another-sign.t    [lmtp] detail: an account of the whole name comes first
config lmtp.detail = -
account alice Archive plain.eml
account anna-maria
account mary-
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice-archive@example.org>
S: 250 *
C: RCPT TO:<anna-maria@example.org>
S: 250 *
C: RCPT TO:<alice+archive@example.org>
S: 550 5.1.1 *
C: RCPT TO:<nobody-archive@example.org>
S: 550 5.1.1 *
C: RCPT TO:<mary-@example.org>
S: 250 *
C: RCPT TO:<mary@example.org>
S: 550 5.1.1 *
C: RCPT TO:<-archive@example.org>
S: 550 5.1.1 *
C: DATA
S: 354 *
C: Subject: to the archive
C:
C: x
C: .
S: 250 *
S: 250 *
S: 250 *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b STATUS Archive (MESSAGES)
S2: * STATUS "Archive" (MESSAGES 2)
S2: b OK *
connect pop3 C3
C3: USER alice+Archive
S3: +OK *
C3: PASS secret
S3: +OK *
C3: STAT
S3: +OK 2 *
