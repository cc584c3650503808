# view-has-several-folders.t    [pop3] folders: one after the other; RFC 1939 section 7: no UIDL twice
account alice INBOX plain.eml
account alice Junk dot-lines.eml
config pop3.folders = INBOX, Nowhere, Junk
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: STAT
S: +OK 2 *
C: UIDL 1
S: +OK 1 00000001$(inbox)
C: UIDL 2
S: +OK 2 00000001$(junk)
C: RETR 2
S: +OK *
S: <<.dot-lines.eml>>
S: .
C: QUIT
S: +OK *
eof
