# last-if-switched-on.t    RFC 1460 section 5: the highest message retrieved; RSET takes that back, \Seen stays
account alice INBOX plain.eml dot-lines.eml nested.eml
config pop3.last = yes
C: LAST
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: LAST
S: +OK 0
C: TOP 3 0
S: +OK *
S: *...
S: .
C: LAST
S: +OK 0
C: RETR 2
S: +OK *
S: <<.dot-lines.eml>>
S: .
C: LAST
S: +OK 2
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: DELE 3
S: +OK *
C: LAST
S: +OK 2
C: LAST 1
S: -ERR *
C: RSET
S: +OK *
C: LAST
S: +OK 0
C: QUIT
S: +OK *
eof
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c FETCH 1:3 (FLAGS)
S2: * 1 FETCH (FLAGS (\Seen*
S2: * 2 FETCH (FLAGS (\Seen*
S2: * 3 FETCH (FLAGS (\Recent*
S2: c OK *
