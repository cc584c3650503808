# bdat-takes-chunks.t    RFC 3030 section 2; RFC 2033 section 4.3: one answer for each recipient after the last
account bob
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: RCPT TO:<nobody@example.org>
S: 550 5.1.1 *
C: RCPT TO:<bob@example.org>
S: 250 *
C~: BDAT 14\x0d\x0aSubject: chunk
S: 250 2.0.0 *
C~: bdat 6\x0d\x0aed\x0d\x0a\x0d\x0a
S: 250 2.0.0 *
C~: BDAT 0\x0d\x0a
S: 250 2.0.0 *
C~: BDAT 10 LAST\x0d\x0a.\x0d\x0a..\x0d\x0aend
S: 250 2.0.0 <alice@example.org> *
S: 250 2.0.0 <bob@example.org> *
C: NOOP
S: 250 *
connect pop3 C2
C2: USER bob
S2: +OK *
C2: PASS secret
S2: +OK *
C2: RETR 1
S2: +OK *
S2: *...
S2: Subject: chunked
S2: 
S2: ..
S2: ...
S2: end
S2: .
