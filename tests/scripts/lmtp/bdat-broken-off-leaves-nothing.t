# bdat-broken-off-leaves-nothing.t    a lost connection delivers nothing, not even between chunks
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
C~: BDAT 10 LAST\x0d\x0awhole
close
wait 100ms
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b STATUS INBOX (MESSAGES)
S2: * STATUS "INBOX" (MESSAGES 0)
S2: b OK *
