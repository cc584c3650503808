# fetch-body-sets-seen.t    RFC 3501 section 6.4.5: BODY[] sets \Seen, BODY.PEEK[] does not
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b FETCH 1 BODY.PEEK[TEXT]<0.5>
S: * 1 FETCH (BODY[TEXT]<0> {"Hello"})
S: b OK *
S! Seen
C: c FETCH 1 BODY[TEXT]<0.5>
S: *...
S: c OK *
C: d FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Seen*
S: d OK *
C: e FETCH 2 FLAGS
S: * 2 FETCH *
S: e OK *
S! Seen
