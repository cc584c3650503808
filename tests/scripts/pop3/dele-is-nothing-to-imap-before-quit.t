# dele-is-nothing-to-imap-before-quit.t    RFC 1939 section 6; and QUIT leaves what others marked \Deleted
account alice INBOX plain.eml dot-lines.eml no-mime.eml
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c STORE 3 +FLAGS.SILENT (\Deleted)
S2: c OK *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C2: d NOOP
S2: d OK *
C2: e STATUS INBOX (MESSAGES)
S2: * STATUS "INBOX" (MESSAGES 3)
S2: e OK *
C: QUIT
S: +OK *
eof
C2: f NOOP
S2: * 1 EXPUNGE
S2: f OK *
C2: g UID FETCH 1:* (FLAGS)
S2: * 1 FETCH (UID 2 FLAGS (*
S2: * 2 FETCH (UID 3 FLAGS (\Deleted*
S2: g OK *
