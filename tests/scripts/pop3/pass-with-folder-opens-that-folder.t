# pass-with-folder-opens-that-folder.t    user+folder; CONTRACTS section 3
account alice Archive plain.eml dot-lines.eml
C: USER alice+Archive
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: STAT
S: +OK 2 679
C: QUIT
S: +OK *
eof
C2: USER alice+archive
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 2 679
