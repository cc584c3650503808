# dele-hides-if-so-configured.t    [pop3] delete = hide: gone for POP3, there for IMAP
account alice INBOX plain.eml dot-lines.eml
config pop3.delete = hide
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK message deleted
C: QUIT
S: +OK bye
eof
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: UIDL
S2: +OK *
S2: 1 00000002*
S2: .
C2: QUIT
S2: +OK *
connect imap C3
C3: a LOGIN alice secret
S3: a OK *
C3: b EXAMINE INBOX
S3: *...
S3: * 2 EXISTS
S3: *...
S3: b OK *
C3: c FETCH 1:2 FLAGS
S3: * 1 FETCH (FLAGS (*
S3: * 2 FETCH (FLAGS (*
S3: c OK *
S3! Seen
