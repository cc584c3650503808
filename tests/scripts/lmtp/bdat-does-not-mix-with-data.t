# bdat-does-not-mix-with-data.t    RFC 3030 section 3: in one transaction all is BDAT; RSET forgets the chunks
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C~: BDAT 5\x0d\x0anever
S: 250 2.0.0 *
C: DATA
S: 503 5.5.1 *
C: RCPT TO:<alice@example.org>
S: 503 5.5.1 *
C: MAIL FROM:<a@example.net>
S: 503 5.5.1 *
C: NOOP
S: 250 *
C: RSET
S: 250 *
C~: BDAT 0 LAST\x0d\x0a
S: 503 5.5.1 *
C: MAIL FROM:<a@example.net> BODY=8BITMIME
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C~: BDAT 6 LAST\x0d\x0aonce\x0d\x0a
S: 250 2.0.0 *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b STATUS INBOX (MESSAGES)
S2: * STATUS "INBOX" (MESSAGES 1)
S2: b OK *
