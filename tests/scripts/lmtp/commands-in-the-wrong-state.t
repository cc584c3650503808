# commands-in-the-wrong-state.t    RFC 5321 section 4.1.4: 503, and the session goes on
account alice
config limits.bad_commands = 1000
C: MAIL FROM:<a@example.net>
S: 503 5.5.1 *
C: RCPT TO:<alice@example.org>
S: 503 5.5.1 *
C: DATA
S: 503 5.5.1 *
C: XFORWARD IDENT=1
S: 503 5.5.1 *
C: RSET
S: 250 2.0.0 *
C: VRFY alice
S: 252 *
C: LHLO client.example.net
S: *...
S: 250 *
C: RCPT TO:<alice@example.org>
S: 503 5.5.1 *
C: DATA
S: 503 5.5.1 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: MAIL FROM:<b@example.net>
S: 503 5.5.1 *
C: DATA
S: 503 5.5.1 *
C: RCPT TO:<nobody@example.org>
S: 550 5.1.1 *
C: DATA
S: 503 5.5.1 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: MAIL FROM:<b@example.net>
S: 503 5.5.1 *
C: STARTTLS
S: 503 5.5.1 *
C: XFORWARD IDENT=1
S: 503 5.5.1 *
C: LHLO again.example.net
S: *...
S: 250 *
C: DATA
S: 503 5.5.1 *
C: QUIT
S: 221 2.0.0 *
eof
