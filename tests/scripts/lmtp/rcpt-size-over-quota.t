# rcpt-size-over-quota.t    RFC 1870 section 6.1: the announced size counts at RCPT
account alice
config store.quota = 64k
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net> SIZE=100000
S: 250 *
C: RCPT TO:<alice@example.org>
S: 452 4.2.2 *
C: RSET
S: 250 *
C: MAIL FROM:<a@example.net> SIZE=1000
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
