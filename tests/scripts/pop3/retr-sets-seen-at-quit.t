# retr-sets-seen-at-quit.t    RFC 1939 section 6: what was read is settled in the UPDATE state
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: QUIT
S: +OK *
eof
C2: c FETCH 1:2 FLAGS
S2: *...
S2: c OK *
C2: d FETCH 1 FLAGS
S2: * 1 FETCH (FLAGS (\Seen*
S2: d OK *
C2: e FETCH 2 FLAGS
S2: * 2 FETCH *
S2: e OK *
S2! Seen
