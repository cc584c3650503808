# append-returns-with-the-message-there.t    RFC 3501 section 6.3.11
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b APPEND INBOX (\Seen) "22-Nov-2026 08:00:00 +0100" {nested.eml}
S: *...
S: b OK *
C: c FETCH 3 (FLAGS INTERNALDATE)
S: * 3 FETCH (FLAGS (\Seen*
S: c OK *
C: d FETCH 3 INTERNALDATE
S: * 3 FETCH (INTERNALDATE "22-Nov-2026 08:00:00 +0100")
S: d OK *
C: e FETCH 3 BODY.PEEK[]
S: * 3 FETCH (BODY[] {nested.eml})
S: e OK *
C: f APPEND nowhere {1}
S: f NO [TRYCREATE] *
