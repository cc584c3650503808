# rset-does-not-look-again.t    RFC 1939 section 4: the numbers of a session are fixed at its beginning
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
connect lmtp C2
C2: LHLO client.example.net
S2: *...
S2: 250 *
C2: MAIL FROM:<a@example.net>
S2: 250 *
C2: RCPT TO:<alice@example.org>
S2: 250 *
C2: DATA
S2: 354 *
C2: .
S2: 250 *
connect imap C3
C3: a LOGIN alice secret
S3: a OK *
C3: b SELECT INBOX
S3: *...
S3: b OK *
C3: c UID STORE 1 +FLAGS.SILENT (\Deleted)
S3: c OK *
C3: d UID EXPUNGE 1
S3: *...
S3: d OK *
C: RSET
S: +OK *
C: STAT
S: +OK 2 679
C: LIST
S: +OK *
S: 1 424
S: 2 255
S: .
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
