# view-shows-only-the-newest.t    [pop3] max_messages: deleting the newest brings up no older ones
account alice INBOX plain.eml dot-lines.eml no-mime.eml
config pop3.max_messages = 2
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: UIDL
S: +OK *
S: 1 00000002*
S: 2 00000003*
S: .
C: DELE 1
S: +OK *
C: QUIT
S: +OK *
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: UIDL
S2: +OK *
S2: 1 00000003*
S2: .
