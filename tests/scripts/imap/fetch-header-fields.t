# fetch-header-fields.t    RFC 3501 section 6.4.5: HEADER.FIELDS, .NOT, HEADER, TEXT
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND INBOX {"From: a@example.org\r\nTo: b\r\n\x09c\r\nSubject: x\r\n\r\nHi\r\n"}
S: b OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: c FETCH 1 BODY.PEEK[HEADER]
S: * 1 FETCH (BODY[HEADER] {"From: a@example.org\r\nTo: b\r\n\x09c\r\nSubject: x\r\n\r\n"})
S: c OK *
C: d FETCH 1 BODY.PEEK[HEADER.FIELDS (to "X none")]
S: * 1 FETCH (BODY[HEADER.FIELDS (to "X none")] {"To: b\r\n\x09c\r\n\r\n"})
S: d OK *
C: e FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (to FROM)]<2.6>
S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (to FROM)]<2> {"bject:"})
S: e OK *
C: f FETCH 1 (RFC822.HEADER RFC822.SIZE)
S: * 1 FETCH (RFC822.SIZE 50 RFC822.HEADER {"From: a@example.org\r\nTo: b\r\n\x09c\r\nSubject: x\r\n\r\n"})
S: f OK *
C: g FETCH 1 BODY.PEEK[HEADER.FIELDS ({"TO"} From)]
S: * 1 FETCH (BODY[HEADER.FIELDS (TO From)] {"From: a@example.org\r\nTo: b\r\n\x09c\r\n\r\n"})
S: g OK *
C: h FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Recent))
S: h OK *
C: i FETCH 1 RFC822.TEXT
S: * 1 FETCH (RFC822.TEXT {"Hi\r\n"})
S: * 1 FETCH (FLAGS (\Seen \Recent))
S: i OK *
