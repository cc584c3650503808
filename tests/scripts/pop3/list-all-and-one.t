# list-all-and-one.t    RFC 1939 section 5
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: LIST
S: +OK *
S: 1 424
S: 2 255
S: .
C: LIST 2
S: +OK 2 255
C: LIST 3
S: -ERR *
C: LIST 0
S: -ERR *
C: LIST 1 2
S: -ERR *
C: LIST x
S: -ERR *
