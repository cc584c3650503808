# lines-may-end-in-lf.t    some clients send no CR; NUL is in no command
account alice INBOX plain.eml
C~: USER alice\x0a
S: +OK *
C~: PASS secret\x0a
S: +OK *
C: STAT\x00
S: -ERR *
C: ST\x0dAT
S: -ERR *
C: STAT
S: +OK 1 424
