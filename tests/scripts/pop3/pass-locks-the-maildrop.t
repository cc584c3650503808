# pass-locks-the-maildrop.t    RFC 1939 section 4, RFC 2449 section 8.1.2: [IN-USE]
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C2: USER alice
S2: +OK *
C2: PASS secret
S2: -ERR [IN-USE] *
C: QUIT
S: +OK *
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 2 679
