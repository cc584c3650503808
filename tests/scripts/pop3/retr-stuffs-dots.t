# retr-stuffs-dots.t    RFC 1939 section 3: a line that begins with a dot gets another one
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: RETR 1
S: +OK message follows, 424 octets
S: <<.plain.eml>>
S: .
C: RETR 2
S: +OK message follows, 255 octets
S: <<.dot-lines.eml>>
S: .
C: RETR 3
S: -ERR no such message
C: RETR
S: -ERR *
