# bdat-unreadable-closes.t    nobody knows where the next command would begin
connect lmtp
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: BDAT ten
S: 501 5.5.4 *
eof
connect lmtp
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: BDAT -1
S: 501 5.5.4 *
eof
connect lmtp
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: BDAT
S: 501 5.5.4 *
eof
connect lmtp
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: BDAT 18446744073709551616 LAST
S: 501 5.5.4 *
eof
connect lmtp
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: BDAT 5 FIRST
S: 501 5.5.4 *
eof
connect lmtp
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: BDAT 5  LAST
S: 501 5.5.4 *
eof
connect lmtp
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: BDAT 5 LAST x
S: 501 5.5.4 *
eof
