# rcpt-over-quota.t    RFC 3463 section 3.3: X.2.2, and 452: it may be better later
account alice INBOX plain.eml
config store.quota_messages = 1
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 452 4.2.2 *
C: RCPT TO:<nobody@example.org>
S: 550 5.1.1 *
