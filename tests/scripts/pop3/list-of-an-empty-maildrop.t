# list-of-an-empty-maildrop.t    RFC 1939 section 5
account alice
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: STAT
S: +OK 0 0
C: LIST
S: +OK *
S: .
C: UIDL
S: +OK *
S: .
C: LIST 1
S: -ERR no such message
C: RETR 1
S: -ERR no such message
C: QUIT
S: +OK bye
eof
