# data-look-alikes-of-its-end.t    RFC 5321 section 4.1.1.4: no half of CRLF.CRLF is left away; a dot alone is stuffed
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: DATA
S: 354 *
C~: Subject: x\x0d\x0a\x0d\x0a
C~: 1\x0d\x0a.\x0a
C~: 2\x0a.\x0d\x0a
C~: 3\x0d\x0a.\x0d4\x0d\x0d\x0a.\x0d\x0d\x0a
C~: 5\x0a.\x0a
C~: 6\x00\x0d\x0a..\x0d\x0a.7\x0d\x0a
C: .
S: 250 2.*
C: QUIT
S: 221 *
eof
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: * 1 EXISTS
S2: *...
S2: b OK *
C2: c FETCH 1 BODY.PEEK[TEXT]
S2: * 1 FETCH (BODY[TEXT] {"1\r\n\r\n2\r\n.\r\n3\r\n\x0d4\x0d\r\n\x0d\r\n5\r\n.\r\n6\x80\r\n.\r\n7\r\n"})
S2: c OK *
