# fetch-envelope-and-structure.t    RFC 3501 section 7.4.2: ENVELOPE, BODYSTRUCTURE, BODY; no \Seen by them
account alice INBOX plain.eml nested.eml forwarded.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b FETCH 1 (ENVELOPE BODY BODYSTRUCTURE)
S: * 1 FETCH (ENVELOPE ("Mon, 16 Nov 2026 09:12:41 +0100" "Lunch on Thursday" (("Anna Berger" NIL "anna" "example.org")) (("Anna Berger" NIL "anna" "example.org")) (("Anna Berger" NIL "anna" "example.org")) (("Alice" NIL "alice" "example.org")) NIL NIL NIL "<20261116091241.4711@example.org>") BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 176 8 NIL NIL NIL NIL) BODY ("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 176 8))
S: b OK *
C: c FETCH 2 BODY
S: * 2 FETCH (BODY ((("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" 48 1)(("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "8BIT" 73 1)("IMAGE" "PNG" ("NAME" "p1.png") "<p1>" NIL "BASE64" 130) "RELATED") "ALTERNATIVE")("APPLICATION" "PDF" ("NAME" "offer.pdf") NIL "the offer" "BASE64" 766) "MIXED"))
S: c OK *
C: d FETCH 2 (UID BODYSTRUCTURE)
S: * 2 FETCH (UID 2 BODYSTRUCTURE ((("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" 48 1 NIL NIL ("en" "vi") NIL)(("TEXT" "HTML" ("CHARSET" "utf-8") NIL NIL "8BIT" 73 1 NIL NIL NIL NIL)("IMAGE" "PNG" ("NAME" "p1.png") "<p1>" NIL "BASE64" 130 "Q2hlY2sgSW50ZWdyaXR5IQ==" ("INLINE" ("FILENAME" "p1.png")) NIL NIL) "RELATED" ("BOUNDARY" "inner") NIL NIL NIL) "ALTERNATIVE" ("BOUNDARY" "middle") NIL NIL NIL)("APPLICATION" "PDF" ("NAME" "offer.pdf") NIL "the offer" "BASE64" 766 NIL ("ATTACHMENT" ("FILENAME" "offer.pdf")) NIL NIL) "MIXED" ("BOUNDARY" "outer") NIL NIL NIL))
S: d OK *
C: e UID FETCH 3 BODYSTRUCTURE
S: * 3 FETCH (UID 3 BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 56 3 NIL ("INLINE" NIL) NIL NIL)("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 684 ("Wed, 11 Nov 2026 21:00:00 +0100" "Minutes of the board meeting" (("The Secretary" NIL "secretary" "example.net")) (("The Secretary" NIL "secretary" "example.net")) (("The Secretary" NIL "secretary" "example.net")) ((NIL NIL "board" "example.net")) NIL NIL NIL "<minutes-2026-11@example.net>") (("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 116 3 NIL NIL NIL NIL)("TEXT" "HTML" ("CHARSET" "us-ascii") NIL NIL "7BIT" 141 2 NIL NIL NIL NIL) "ALTERNATIVE" ("BOUNDARY" "inner") NIL NIL NIL) 23 NIL ("INLINE" NIL) NIL NIL) "MIXED" ("BOUNDARY" "sHrvAb52M6C8blB9") ("INLINE" NIL) NIL NIL))
S: e OK *
C: f FETCH 1 (body body.peek[text]<0.5> flags)
S: * 1 FETCH (FLAGS (\Recent) BODY ("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 176 8) BODY[TEXT]<0> {"Hello"})
S: f OK *
