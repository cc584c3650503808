# starttls-begins-anew.t    RFC 3207 section 4.2: what was learned in plaintext is forgotten
config listen lmtp.tls = starttls
account alice
C: LHLO client.example.net
S: 250-mail.example.org
S: *...
S: 250-STARTTLS
S: *...
S: 250 *
C: STARTTLS now
S: 501 5.5.4 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: STARTTLS
S: 503 5.5.1 *
C: RSET
S: 250 *
C: STARTTLS
S: 220 2.0.0 *
starttls
C: MAIL FROM:<a@example.net>
S: 503 5.5.1 *
C: LHLO client.example.net
S: *...
S: 250-CHUNKING
S: 250-XFORWARD *
S: 250 ENHANCEDSTATUSCODES
C: STARTTLS
S: 454 4.7.0 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: DATA
S: 354 *
C: .
S: 250 *
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: TOP 1 0
S2: +OK *
S2: *...
S2:  by mail.example.org with LMTPS id *
S2: *...
S2: .
