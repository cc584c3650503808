# data-broken-off-leaves-nothing.t    RFC 5321 section 4.1.1.4; a lost connection delivers nothing
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: DATA
S: 354 *
C: Subject: never whole
C:
C~: half a li
close
wait 100ms
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 0 *
