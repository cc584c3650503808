# dele-is-not-for-keep.t    [pop3] delete = keep: the client may say what it likes
account alice INBOX plain.eml
config pop3.delete = keep
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: DELE 1
S: +OK message deleted
C: STAT
S: +OK 0 0
C: QUIT
S: +OK bye
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: STAT
S2: +OK 1 424
