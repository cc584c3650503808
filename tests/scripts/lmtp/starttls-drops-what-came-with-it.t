# starttls-drops-what-came-with-it.t    RFC 3207 section 4.2: what was said behind STARTTLS in plaintext is not run inside TLS
config listen lmtp.tls = starttls
account alice
pipelined no: the point is what is in one write
bytewise no: the point is what is in one write
C: LHLO client.example.net
S: *...
S: 250 *
C~: STARTTLS\x0d\x0aLHLO evil.example.net\x0d\x0aMAIL FROM:<evil@example.net>\x0d\x0aRCPT TO:<alice@example.org>\x0d\x0aDATA\x0d\x0a
S: 220 2.0.0 *
starttls
C: MAIL FROM:<a@example.net>
S: 503 5.5.1 *
C: LHLO client.example.net
S: *...
S: 250 *
C: DATA
S: 503 5.5.1 *
C: QUIT
S: 221 *
eof
