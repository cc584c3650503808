# data-only-crlf-dot-crlf-ends.t    RFC 5321 section 4.1.1.4: neither LF nor CR alone stands for a line end
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
C: Subject: smuggled
C:
C~: one\x0a.\x0aMAIL FROM:<evil@example.net>\x0d\x0a
C~: two\x0d.\x0dthree\x0d\x0a
C: .
S: 250 2.*
C: NOOP
S: 250 *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: * 1 EXISTS
S2: *...
S2: b OK *
C2: c FETCH 1 BODY.PEEK[TEXT]
S2: * 1 FETCH (BODY[TEXT] {"one\r\n.\r\nMAIL FROM:<evil@example.net>\r\ntwo\x0d.\x0dthree\r\n"})
S2: c OK *
