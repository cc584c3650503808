# thunderbird-leaves-mail-on-the-server.t    Pop3Client.sys.mjs: CAPA, AUTH, STAT, LIST, UIDL, then one command at a time
account alice INBOX plain.eml dot-lines.eml
config pop3.hide_seen = yes
C: CAPA
S: +OK *
S: *...
S: SASL PLAIN LOGIN
S: *...
S: .
C: AUTH PLAIN
S: + 
C: AGFsaWNlAHNlY3JldA==
S: +OK *
C: STAT
S: +OK 2 *
C: LIST
S: +OK *
S: 1 *
S: 2 *
S: .
C: UIDL
S: +OK *
S: 1 $(first)
S: 2 $(second)
S: .
C: TOP 1 0
S: +OK *
S: *...
S: .
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
C: RETR 2
S: +OK *
S: <<.dot-lines.eml>>
S: .
C: DELE 2
S: +OK *
C: QUIT
S: +OK *
eof
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c STORE 1 -FLAGS.SILENT (\Seen)
S2: c OK *
C3: CAPA
S3: +OK *
S3: *...
S3: .
C3: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S3: +OK *
C3: STAT
S3: +OK 1 *
C3: LIST
S3: +OK *
S3: 1 *
S3: .
C3: UIDL
S3: +OK *
S3: 1 $(first)
S3: .
C3: QUIT
S3: +OK *
