# dele-moves-to-the-trash-if-so-configured.t    [pop3] delete = trash: only the copy that was seen
account alice INBOX plain.eml dot-lines.eml
account alice Archive plain.eml
config pop3.delete = trash
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK message deleted
C: QUIT
S: +OK bye
eof
C2: c NOOP
S2: * 1 EXPUNGE
S2: c OK *
C2: d STATUS Trash (MESSAGES UNSEEN)
S2: * STATUS "Trash" (MESSAGES 1 UNSEEN 1)
S2: d OK *
C2: e STATUS Archive (MESSAGES)
S2: * STATUS "Archive" (MESSAGES 1)
S2: e OK *
C3: USER alice
S3: +OK *
C3: PASS secret
S3: +OK *
C3: UIDL
S3: +OK *
S3: 1 00000002*
S3: .
