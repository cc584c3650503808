# mail-with-smtputf8.t    RFC 6531 section 3.4
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<\xc3\xa4@example.net>
S: 553 5.6.7 *
C: MAIL FROM:<\xff@example.net> SMTPUTF8
S: 501 *
C: MAIL FROM:<\xc3\xa4@example.net> SMTPUTF8
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: DATA
S: 354 *
C: .
S: 250 *
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: RETR 1
S2: +OK *
S2: Return-Path: <\xc3\xa4@example.net>
S2: Delivered-To: *
S2: Received: *
S2:  by mail.example.org with UTF8LMTP *
S2: *...
S2: .
