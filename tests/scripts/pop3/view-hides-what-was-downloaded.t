# view-hides-what-was-downloaded.t    [pop3] hide_downloaded: once is enough, unless "recent:" asks again
account alice INBOX plain.eml dot-lines.eml
config pop3.hide_downloaded = yes
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: TOP 2 0
S: +OK *
S: *...
S: .
C: QUIT
S: +OK *
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: UIDL
S2: +OK *
S2: 1 00000002*
S2: .
C2: QUIT
S2: +OK *
C3: USER recent:alice
S3: +OK *
C3: PASS secret
S3: +OK *
C3: UIDL
S3: +OK *
S3: 1 00000001*
S3: 2 00000002*
S3: .
C3: QUIT
S3: +OK *
