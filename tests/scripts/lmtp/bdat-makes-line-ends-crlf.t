# bdat-makes-line-ends-crlf.t    the same line ends as after DATA, across chunks too
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C~: BDAT 13\x0d\x0aSubject: x\x0d\x0a\x0d
S: 250 2.0.0 *
C~: BDAT 9 LAST\x0d\x0a\x0aone\x0atwo\x0d
S: 250 2.0.0 *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c FETCH 1 BODY.PEEK[TEXT]
S2: * 1 FETCH (BODY[TEXT] {"one\r\ntwo\r"})
S2: c OK *
