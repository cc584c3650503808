# view-hides-what-imap-has-read.t    [pop3] hide_seen: read elsewhere, not downloaded; unread again, it comes back
account alice INBOX plain.eml dot-lines.eml
config pop3.hide_seen = yes
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c STORE 1 +FLAGS.SILENT (\Seen)
S2: c OK *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: UIDL
S: +OK *
S: 1 00000002*
S: .
C: RETR 1
S: +OK *
S: <<.dot-lines.eml>>
S: .
C: QUIT
S: +OK *
eof
C2: d STORE 1 -FLAGS.SILENT (\Seen)
S2: *...
S2: d OK *
C3: USER alice
S3: +OK *
C3: PASS secret
S3: +OK *
C3: UIDL
S3: +OK *
S3: 1 00000001*
S3: 2 00000002*
S3: .
