# fetch-all-at-once.t    RFC 3501 section 6.4.5: the last message, sets in any order, each message once
account alice INBOX plain.eml dot-lines.eml nested.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b FETCH 3,1:2,2,*:3 UID
S: * 1 FETCH (UID 1)
S: * 2 FETCH (UID 2)
S: * 3 FETCH (UID 3)
S: b OK *
C: c FETCH * (UID UID)
S: * 3 FETCH (UID 3)
S: c OK *
C: d FETCH 1:* (BODY.PEEK[] UID)
S: * 1 FETCH (UID 1 BODY[] {plain.eml})
S: * 2 FETCH (UID 2 BODY[] {dot-lines.eml})
S: * 3 FETCH (UID 3 BODY[] {nested.eml})
S: d OK *
C: e FETCH 2 (BODY.PEEK[]<0.4> BODY.PEEK[]<4.3>)
S: * 2 FETCH (BODY[]<0> {"From"} BODY[]<4> {": r"})
S: e OK *
