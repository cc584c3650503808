# rcpt-detail-names-a-mailbox.t    user+detail: exact, else the only one in another case, else INBOX
account alice Archive plain.eml
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice+archive@example.org>
S: 250 *
C: DATA
S: 354 *
C: Subject: to the archive
C:
C: x
C: .
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice+nowhere@example.org>
S: 250 *
C: DATA
S: 354 *
C: Subject: to the inbox
C:
C: x
C: .
S: 250 *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b STATUS Archive (MESSAGES)
S2: * STATUS "Archive" (MESSAGES 2)
S2: b OK *
C2: c STATUS INBOX (MESSAGES)
S2: * STATUS "INBOX" (MESSAGES 1)
S2: c OK *
