# arguments-with-nul-and-blanks.t    RFC 1939 section 3: printable ASCII, one space between; nothing is cut at a NUL
account alice INBOX plain.eml
config limits.bad_commands = 1000
C:
S: -ERR *
C: \x20
S: -ERR *
C:  USER alice
S: -ERR *
C: USER\x09alice
S: -ERR *
C: USER alice\x00bob
S: -ERR *
C: USER
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret\x00
S: -ERR *
C: PASS secret
S: +OK *
C: DELE 1\x00
S: -ERR *
C: DELE 1\x001
S: -ERR *
C: DELE\x001
S: -ERR *
C: RETR 1\x09
S: +OK *
S: <<.plain.eml>>
S: .
C: RETR\x091
S: -ERR *
C: TOP 1\x091
S: -ERR *
C: LIST  
S: +OK *
S: 1 424
S: .
C: UIDL 1 1
S: -ERR *
C: STAT 1
S: -ERR *
C: NOOP\x00
S: -ERR *
C: CAPA all
S: -ERR *
C: STAT
S: +OK 1 424
