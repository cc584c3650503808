# retr-of-what-imap-expunged.t    RFC 1939 section 4: no message goes before UPDATE
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c STORE 1 +FLAGS.SILENT (\Deleted)
S2: c OK *
C2: d EXPUNGE
S2: *...
S2: d OK *
C: STAT
S: +OK 2 679
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: DELE 1
S: +OK message deleted
C: QUIT
S: +OK bye
eof
C3: USER alice
S3: +OK *
C3: PASS secret
S3: +OK *
C3: LIST
S3: +OK *
S3: 1 255
S3: .
