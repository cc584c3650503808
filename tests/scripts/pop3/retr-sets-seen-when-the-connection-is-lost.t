# retr-sets-seen-when-the-connection-is-lost.t    RFC 1939 section 6: no deletes, but what was read was read
bytewise no: what was said before the end must have been one write
pipelined no: the end must come after the answer
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: DELE 1
S: +OK *
C: NOOP
S: +OK *
close
wait 200ms
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: * 2 EXISTS
S2: *...
S2: b OK *
C2: c FETCH 1 FLAGS
S2: * 1 FETCH (FLAGS (\Seen*
S2: c OK *
C2: d FETCH 2 FLAGS
S2: * 2 FETCH *
S2: d OK *
S2! Seen
