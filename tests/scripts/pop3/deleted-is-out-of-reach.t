# deleted-is-out-of-reach.t    RFC 1939 section 5: any later reference to a deleted message is an error
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C: DELE 1
S: -ERR no such message
C: RETR 1
S: -ERR no such message
C: TOP 1 0
S: -ERR no such message
C: LIST 1
S: -ERR no such message
C: UIDL 1
S: -ERR no such message
C: STAT
S: +OK 1 255
C: RETR 2
S: +OK *
S: <<.dot-lines.eml>>
S: .
C: RSET
S: +OK *
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: STAT
S: +OK 2 679
