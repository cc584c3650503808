# uid-fetch-always-tells-the-uid.t    RFC 3501 section 6.4.8
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b UID FETCH 2 FLAGS
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: b OK *
C: c UID FETCH 99:* (UID)
S: * 2 FETCH (UID 2)
S: c OK *
C: d UID FETCH 50:60 FLAGS
S: d OK *
C: e UID FETCH 1 BODY[TEXT]<0.5>
S: * 1 FETCH (UID 1 BODY[TEXT]<0> {"Hello"})
S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent))
S: e OK *
C: f UID FETCH 1
S: f BAD *
C: g UID NOOP
S: g BAD *
C: h UID
S: h BAD *
