# top-of-all-lines-is-a-download.t    RFC 1939 section 7: fetchmail downloads with TOP, so as not to set \Seen
account alice INBOX plain.eml dot-lines.eml
config pop3.hide_downloaded = yes
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: TOP 1 99999999
S: +OK *
S: <<.plain.eml>>
S: .
C: TOP 2 1000
S: +OK *
S: <<.dot-lines.eml>>
S: .
C: QUIT
S: +OK bye
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: UIDL
S2: +OK *
S2: 1 00000002*
S2: .
connect imap C3
C3: a LOGIN alice secret
S3: a OK *
C3: b EXAMINE INBOX
S3: *...
S3: b OK *
C3: c FETCH 1:2 FLAGS
S3: * 1 FETCH *
S3: * 2 FETCH *
S3: c OK *
S3! Seen
