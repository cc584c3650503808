# client-outlook.t    what Outlook sends: a mechanism that is not there, USER and PASS, UIDL before LIST, all of it and DELE
account alice INBOX plain.eml dot-lines.eml
C: CAPA
S: +OK *
S: *...
S: USER
S: *...
S: .
C: AUTH NTLM
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: STAT
S: +OK 2 679
C: UIDL
S: +OK *
S: 1 00000001$(v)
S: 2 00000002$(v)
S: .
C: LIST
S: +OK *
S: 1 424
S: 2 255
S: .
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: RETR 2
S: +OK *
S: <<.dot-lines.eml>>
S: .
C: QUIT
S: +OK *
eof
connect pop3
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: STAT
S: +OK 2 679
C: UIDL
S: +OK *
S: 1 00000001$(v)
S: 2 00000002$(v)
S: .
C: LIST
S: +OK *
S: 1 424
S: 2 255
S: .
C: DELE 1
S: +OK *
C: DELE 2
S: +OK *
C: QUIT
S: +OK *
eof
