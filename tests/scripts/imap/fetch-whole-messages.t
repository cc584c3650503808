# fetch-whole-messages.t    RFC 3501 section 6.4.5
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b FETCH 1:2 (UID RFC822.SIZE)
S: * 1 FETCH (UID 1 RFC822.SIZE 424)
S: * 2 FETCH (UID 2 RFC822.SIZE 255)
S: b OK *
C: c FETCH 2 BODY.PEEK[]
S: * 2 FETCH (BODY[] {dot-lines.eml})
S: c OK *
C: d UID FETCH 2 BODY.PEEK[]
S: * 2 FETCH (UID 2 BODY[] {dot-lines.eml})
S: d OK *
C: e FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]
S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {"Subject: Lunch on Thursday\r\n\r\n"})
S: e OK *
C: f FETCH 3 FLAGS
S: f BAD *
C: g UID FETCH 3 FLAGS
S: g OK *
C: h FETCH 0 FLAGS
S: h BAD *
