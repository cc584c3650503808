# data-too-big.t    RFC 1870 section 6.3: 552 after the data, and the session goes on
account alice
config store.message_size = 64k
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net> SIZE=65537
S: 552 5.3.4 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: DATA
S: 354 *
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C~: <<.long-lines.eml>>
C: .
S: 552 5.3.4 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: DATA
S: 354 *
C~: <<.plain.eml>>
C: .
S: 250 *
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: STAT
S2: +OK 1 *
