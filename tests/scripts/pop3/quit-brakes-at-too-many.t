# quit-brakes-at-too-many.t    [pop3] brake: hidden instead of removed, and said so
account alice INBOX plain.eml dot-lines.eml no-mime.eml
config pop3.brake = 1,50
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C: DELE 2
S: +OK *
C: QUIT
S: +OK bye; 2 messages were hidden, not removed: too many at once
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: UIDL
S2: +OK *
S2: 1 00000003*
S2: .
C2: DELE 1
S2: +OK *
C2: QUIT
S2: +OK bye
connect imap C3
C3: a LOGIN alice secret
S3: a OK *
C3: b STATUS INBOX (MESSAGES)
S3: * STATUS "INBOX" (MESSAGES 2)
S3: b OK *
