# bdat-too-big.t    told after the chunk that was too much; what follows is refused and read
config store.message_size = 64k
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C~: BDAT 43029\x0d\x0a
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
S: 250 2.0.0 *
C~: BDAT 43029\x0d\x0a
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
C~: <<long-lines.eml>>
S: 552 5.3.4 *
C~: BDAT 3 LAST\x0d\x0axxx
S: 503 5.5.1 *
C: NOOP
S: 250 *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b STATUS INBOX (MESSAGES)
S2: * STATUS "INBOX" (MESSAGES 0)
S2: b OK *
