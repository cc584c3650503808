# rcpt-detail-switched-off.t    [lmtp] detail empty: nothing stands between account and mailbox
config lmtp.detail =
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice+archive@example.org>
S: 550 5.1.1 *
C: RCPT TO:<alice@example.org>
S: 250 *
