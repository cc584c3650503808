# client-outlook-express.t    what Outlook Express and Windows Live Mail send: ENVELOPE with odd header fields, BODY[], LSUB
account alice INBOX plain.eml attachment-pdf.eml
C: 0001 CAPABILITY
S: * CAPABILITY IMAP4rev1 *
S: 0001 OK *
C: 0002 LOGIN "alice" "secret"
S: 0002 OK *
C: 0003 LIST "" ""
S: * LIST (\Noselect) "/" ""
S: 0003 OK *
C: 0004 LSUB "" "*"
S: *...
S: 0004 OK *
C: 0005 SELECT "INBOX"
S: *...
S: 0005 OK [READ-WRITE] *
C: 0006 UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (References X-Ref X-Priority X-MSMail-Priority X-MSOESRec Newsgroups)] ENVELOPE RFC822.SIZE UID FLAGS INTERNALDATE)
S: * 1 FETCH (UID 1 FLAGS (\Recent) INTERNALDATE "*
S: * 2 FETCH (UID 2 FLAGS (\Recent) INTERNALDATE "*
S: 0006 OK *
C: 0007 UID FETCH 1 (ENVELOPE UID)
S: * 1 FETCH (UID 1 ENVELOPE ("Mon, 16 Nov 2026 09:12:41 +0100" "Lunch on Thursday" (("Anna Berger" NIL "anna" "example.org")) (("Anna Berger" NIL "anna" "example.org")) (("Anna Berger" NIL "anna" "example.org")) (("Alice" NIL "alice" "example.org")) NIL NIL NIL "<20261116091241.4711@example.org>"))
S: 0007 OK *
C: 0008 UID FETCH 1 (BODY.PEEK[] UID)
S: * 1 FETCH (UID 1 BODY[] {plain.eml})
S: 0008 OK *
C: 0009 UID STORE 1 +FLAGS.SILENT (\Seen)
S: 0009 OK *
C: 000A UID STORE 2 +FLAGS.SILENT (\Deleted)
S: 000A OK *
C: 000B EXPUNGE
S: * 2 EXPUNGE
S: 000B OK *
C: 000C STATUS "Sent" (MESSAGES UNSEEN)
S: * STATUS "Sent" (MESSAGES 0 UNSEEN 0)
S: 000C OK *
C: 000D LOGOUT
S: * BYE *
S: 000D OK *
eof
