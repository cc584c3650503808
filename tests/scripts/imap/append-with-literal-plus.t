# append-with-literal-plus.t    RFC 7888 section 4: the client does not wait
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b APPEND INBOX {plain.eml+}
S: *...
S: b OK *
C: c FETCH 3 BODY.PEEK[]
S: * 3 FETCH (BODY[] {plain.eml})
S: c OK *
