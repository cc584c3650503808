# fetch-parts-of-a-message-within.t    RFC 3501 section 6.4.5: HEADER, TEXT and parts of message/rfc822
account alice INBOX forwarded.eml digest.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b FETCH 1 (BODY.PEEK[2.MIME] BODY.PEEK[2.HEADER]<44.7> BODY.PEEK[2.TEXT]<0.7> BODY.PEEK[2]<0.11>)
S: * 1 FETCH (BODY[2.MIME] {"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"} BODY[2.HEADER]<44> {"The Sec"} BODY[2.TEXT]<0> {"--inner"} BODY[2]<0> {"Return-Path"})
S: b OK *
C: c FETCH 1 (BODY.PEEK[2.HEADER.FIELDS (subject DATE)])
S: * 1 FETCH (BODY[2.HEADER.FIELDS (subject DATE)] {"Subject: Minutes of the board meeting\r\nDate: Wed, 11 Nov 2026 21:00:00 +0100\r\n\r\n"})
S: c OK *
C: d FETCH 1 BODY.PEEK[2.HEADER.FIELDS.NOT ("Date" From To subject Message-ID MIME-Version Content-Type)]<0.17>
S: * 1 FETCH (BODY[2.HEADER.FIELDS.NOT (Date From To subject Message-ID MIME-Version Content-Type)]<0> {"Return-Path: <sec"})
S: d OK *
C: e FETCH 1 (BODY.PEEK[2.1]<0.10> BODY.PEEK[2.2.MIME] BODY.PEEK[2.3])
S: * 1 FETCH (BODY[2.1]<0> {"1. Minutes"} BODY[2.2.MIME] {"Content-Type: text/html; charset=us-ascii\r\n\r\n"} BODY[2.3] NIL)
S: e OK *
C: f FETCH 2 (BODY.PEEK[2.2.HEADER.FIELDS (From)] BODY.PEEK[2.2.TEXT] BODY.PEEK[2.2.1] BODY.PEEK[2.2.1.1])
S: * 2 FETCH (BODY[2.2.HEADER.FIELDS (From)] {"From: Dora <dora@example.net>\r\n\r\n"} BODY[2.2.TEXT] {"Green ones only.\r\n"} BODY[2.2.1] {"Green ones only.\r\n"} BODY[2.2.1.1] NIL)
S: f OK *
C: g FETCH 2 BODY[2.1.1]
S: * 2 FETCH (BODY[2.1.1] {"Is anybody still harvesting tomatoes?\r\n"})
S: * 2 FETCH (FLAGS (\Seen \Recent))
S: g OK *
