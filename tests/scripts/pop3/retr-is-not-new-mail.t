# retr-is-not-new-mail.t    RFC 1939 section 4: the maildrop is as it was at login
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
connect lmtp C2
C2: LHLO client.example.net
S2: *...
S2: 250 *
C2: MAIL FROM:<a@example.net>
S2: 250 *
C2: RCPT TO:<alice@example.org>
S2: 250 *
C2: DATA
S2: 354 *
C2: Subject: new
C2:
C2: x
C2: .
S2: 250 *
C: STAT
S: +OK 1 424
C: RETR 2
S: -ERR no such message
C: QUIT
S: +OK *
eof
C3: USER alice
S3: +OK *
C3: PASS secret
S3: +OK *
C3: STAT
S3: +OK 2 *
