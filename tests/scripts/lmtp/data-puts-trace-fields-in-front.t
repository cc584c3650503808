# data-puts-trace-fields-in-front.t    RFC 5321 section 4.4
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<"a b"@example.net>
S: 250 *
C: RCPT TO:<alice@example.org>
S: 250 2.1.5 *
C: DATA
S: 354 *
C~: <<.dot-lines.eml>>
C: .
S: 250 *
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: RETR 1
S2: +OK *
S2: Return-Path: <"a b"@example.net>
S2: Delivered-To: alice@example.org
S2: Received: from client.example.net ([127.*
S2:  by mail.example.org with LMTP id *
S2:  for <alice@example.org>; *
S2: <<.dot-lines.eml>>
S2: .
