# bdat-refused-is-read-to-its-end.t    RFC 3030 section 2: octets of a chunk are never commands
account alice
C~: BDAT 8\x0d\x0aNOOP\x0d\x0a\x0d\x0a
S: 503 5.5.1 *
C: LHLO client.example.net
S: *...
S: 250 *
C~: BDAT 6 LAST\x0d\x0aQUIT\x0d\x0a
S: 503 5.5.1 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<nobody@example.org>
S: 550 *
C~: BDAT 6 LAST\x0d\x0aQUIT\x0d\x0a
S: 503 5.5.1 *
C: RCPT TO:<alice@example.org>
S: 250 *
C~: BDAT 3 LAST\x0d\x0ax\x0d\x0a
S: 250 2.0.0 *
