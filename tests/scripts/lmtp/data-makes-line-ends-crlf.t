# data-makes-line-ends-crlf.t    RFC 5321 section 2.3.8; each LF alone becomes CRLF, CR alone stays
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: DATA
S: 354 *
C~: Subject: x\x0d\x0a\x0d\x0aone\x0atwo\x0d\x0a.\x0d\x0a
S: 250 *
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: TOP 1 9
S2: +OK *
S2: *...
S2: Subject: x
S2: 
S2: one
S2: two
S2: .
