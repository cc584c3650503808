# dele-takes-one-number.t    RFC 1939 section 5
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: DELE
S: -ERR *
C: DELE 0
S: -ERR no such message
C: DELE 2
S: -ERR no such message
C: DELE 1 2
S: -ERR *
C: DELE 1
S: +OK message deleted
C: RSET now
S: -ERR *
C: RSET
S: +OK *
C: DELE 1
S: +OK message deleted
