# rset-takes-marks-back.t    RFC 1939 section 5
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C: DELE 2
S: +OK *
C: STAT
S: +OK 0 0
C: RSET
S: +OK maildrop has 2 messages (679 octets)
C: STAT
S: +OK 2 679
C: QUIT
S: +OK *
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 2 679
