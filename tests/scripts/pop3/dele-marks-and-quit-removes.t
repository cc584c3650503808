# dele-marks-and-quit-removes.t    RFC 1939 sections 5 and 6
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK message deleted
C: DELE 1
S: -ERR *
C: RETR 1
S: -ERR *
C: LIST
S: +OK *
S: 2 255
S: .
C: STAT
S: +OK 1 255
C: QUIT
S: +OK *
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 1 255
C2: LIST
S2: +OK *
S2: 1 255
S2: .
