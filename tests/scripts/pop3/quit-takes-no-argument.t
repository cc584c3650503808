# quit-takes-no-argument.t    RFC 1939 section 5
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: DELE 1
S: +OK *
C: QUIT now
S: -ERR *
C: STAT
S: +OK 0 0
C: quit
S: +OK bye
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: STAT
S2: +OK 0 0
