# list-tolerates-trailing-blanks.t    old clients send them; RFC 2449 section 3 has none
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: LIST\x20
S: +OK *
S: 1 424
S: .
C: LIST 1\x20
S: +OK 1 424
C: STAT\x20
S: +OK 1 424
