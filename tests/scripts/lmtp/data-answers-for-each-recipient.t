# data-answers-for-each-recipient.t    RFC 2033 section 4.2
account alice
account bob
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: RCPT TO:<nobody@example.org>
S: 550 *
C: RCPT TO:<bob@example.org>
S: 250 *
C: DATA
S: 354 *
C~: <<.dot-lines.eml>>
C: .
S: 250 2.*
S: 250 2.*
C: QUIT
S: 221 *
eof
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 1 *
C2: QUIT
S2: +OK *
connect pop3 C2
C2: USER bob
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 1 *
C2: RETR 1
S2: +OK *
S2: Return-Path: <a@example.net>
S2: Received: *
S2: *...
S2: <<.dot-lines.eml>>
S2: .
S2! Delivered-To
