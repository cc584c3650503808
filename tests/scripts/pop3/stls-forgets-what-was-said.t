# stls-forgets-what-was-said.t    RFC 2595 section 4
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: STLS
S: +OK *
starttls
C: PASS secret
S: -ERR *
C: STLS
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: QUIT
S: +OK *
eof
