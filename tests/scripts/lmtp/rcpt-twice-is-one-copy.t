# rcpt-twice-is-one-copy.t    the same mailbox named twice: one copy and two answers
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: RCPT TO:<ALICE+nowhere@example.org>
S: 250 *
C: DATA
S: 354 *
C: Subject: once
C:
C: x
C: .
S: 250 2.0.0 <alice@example.org> delivered
S: 250 2.0.0 <ALICE+nowhere@example.org> delivered
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: STAT
S2: +OK 1 *
