# rcpt-detail-in-utf-7.t    user+detail as IMAP writes it (RFC 3501 section 5.1.3), for an MTA without SMTPUTF8
account alice
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b CREATE Entw&APw-rfe
S2: b OK *
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice+entw&APw-rfe@example.org>
S: 250 *
C: DATA
S: 354 *
C: Subject: a draft
C:
C: x
C: .
S: 250 *
C: MAIL FROM:<a@example.net> SMTPUTF8
S: 250 *
C: RCPT TO:<alice+Entw\xc3\xbcrfe@example.org>
S: 250 *
C: DATA
S: 354 *
C: Subject: another
C:
C: x
C: .
S: 250 *
C2: c STATUS Entw&APw-rfe (MESSAGES)
S2: * STATUS "Entw&APw-rfe" (MESSAGES 2)
S2: c OK *
