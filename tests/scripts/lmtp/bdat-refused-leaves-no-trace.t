# bdat-refused-leaves-no-trace.t    RFC 3030 section 2: after a chunk that came too early DATA is read to its CRLF.CRLF
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C~: BDAT 6 LAST\x0d\x0aNOOP\x0d\x0a
S: 503 5.5.1 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: DATA
S: 354 *
C: Subject: whole
C:
C: QUIT
C: .
S: 250 2.0.0 <alice@example.org> *
C: NOOP
S: 250 *
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: RETR 1
S2: +OK *
S2: *...
S2: Subject: whole
S2: 
S2: QUIT
S2: .
