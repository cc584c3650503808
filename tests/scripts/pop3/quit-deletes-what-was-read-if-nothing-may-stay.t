# quit-deletes-what-was-read-if-nothing-may-stay.t    RFC 2449 section 6.7: EXPIRE 0, an implicit DELE
account alice INBOX plain.eml dot-lines.eml
config pop3.expire = 0
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: TOP 2 0
S: +OK *
S: *...
S: .
C: QUIT
S: +OK bye
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: UIDL
S2: +OK *
S2: 1 00000002*
S2: .
