# lock-none-lets-two-in.t    [pop3] lock = none: each has its own picture; what both remove is removed once
account alice INBOX plain.eml dot-lines.eml no-mime.eml
config pop3.lock = none
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop ready
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK maildrop ready
C: DELE 1
S: +OK *
C2: STAT
S2: +OK 3 *
C: QUIT
S: +OK *
eof
C2: RETR 1
S2: +OK *
S2: <<.plain.eml>>
S2: .
C2: DELE 1
S2: +OK *
C2: DELE 2
S2: +OK *
C2: QUIT
S2: +OK bye
connect pop3 C3
C3: USER alice
S3: +OK *
C3: PASS secret
S3: +OK *
C3: LIST
S3: +OK *
S3: 1 331
S3: .
