# pipelining-ends-in-quit.t    RFC 2449 section 6.6: in order, and all of it before the end
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: STAT
S: +OK 2 679
C: RETR 1
S: +OK message follows, 424 octets
S: <<.plain.eml>>
S: .
C: DELE 1
S: +OK message deleted
C: RETR 2
S: +OK message follows, 255 octets
S: <<.dot-lines.eml>>
S: .
C: QUIT
S: +OK bye
eof
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: * 1 EXISTS
S2: *...
S2: b OK *
C2: c FETCH 1 FLAGS
S2: * 1 FETCH (FLAGS (\Seen*
S2: c OK *
