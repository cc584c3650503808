# client-thunderbird.t    what Thunderbird sends with mail left on the server: headers of a large one, and UIDLs that it knows again
account alice INBOX plain.eml attachment-pdf.eml
C: CAPA
S: +OK *
S: TOP
S: UIDL
S: *...
S: .
C: AUTH PLAIN
S: + 
C: AGFsaWNlAHNlY3JldA==
S: +OK *
C: STAT
S: +OK 2 2291
C: LIST
S: +OK *
S: 1 424
S: 2 1867
S: .
C: UIDL
S: +OK *
S: 1 00000001$(v)
S: 2 00000002$(v)
S: .
C: XTND XMIT
S: -ERR *
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: NOOP
S: +OK *
C: TOP 2 0
S: +OK *
S: Return-Path: <billing@hosting.example>
S: *...
S: X-Priority: 3
S: 
S: .
C: TOP 2 20
S: +OK *
S: *...
S: Ihre Buchhaltung
S: *...
S: .
C: QUIT
S: +OK *
eof
connect lmtp C2
C2: LHLO mx.example.org
S2: *...
S2: 250 *
C2: MAIL FROM:<bob@example.net>
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
connect pop3
C: CAPA
S: +OK *
S: *...
S: .
C: AUTH PLAIN
S: + 
C: AGFsaWNlAHNlY3JldA==
S: +OK *
C: STAT
S: +OK 3 *
C: LIST
S: +OK *
S: 1 424
S: 2 1867
S: 3 *
S: .
C: UIDL
S: +OK *
S: 1 00000001$(v)
S: 2 00000002$(v)
S: 3 00000003$(v)
S: .
C: RETR 3
S: +OK *
S: *...
S: Subject: new
S: 
S: x
S: .
C: DELE 1
S: +OK *
C: QUIT
S: +OK *
eof
