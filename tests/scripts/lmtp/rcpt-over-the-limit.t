# rcpt-over-the-limit.t    [lmtp] recipients; RFC 5321 section 4.5.3.1.10: 452
account alice
account bob
config lmtp.recipients = 1
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: RCPT TO:<bob@example.org>
S: 452 4.5.3 *
C: RSET
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<bob@example.org>
S: 250 *
