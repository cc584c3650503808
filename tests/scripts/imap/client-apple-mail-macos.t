# client-apple-mail-macos.t    what Mail of macOS sends: tags with a dot, sequence fetches, single parts, COPY and \Deleted
account alice INBOX plain.eml attachment-pdf.eml thread-2.eml
C: 1.7 CAPABILITY
S: * CAPABILITY IMAP4rev1 *
S: 1.7 OK *
C: 2.7 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: 2.7 OK [CAPABILITY *
C: 3.7 ID ("name" "Mac OS X Mail" "version" "16.0 (3774.100.2.1.4)" "os" "Mac OS X" "os-version" "14.0 (23A344)" "vendor" "Apple Inc.")
S: * ID *
S: 3.7 OK *
C: 4.7 NAMESPACE
S: * NAMESPACE (("" "/")) NIL NIL
S: 4.7 OK *
C: 5.7 LIST "" *
S: * LIST (\HasNoChildren \Archive) "/" "Archive"
S: * LIST (\HasNoChildren \Drafts) "/" "Drafts"
S: * LIST (\HasNoChildren) "/" "INBOX"
S: * LIST (\HasNoChildren \Junk) "/" "Junk"
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\HasNoChildren \Trash) "/" "Trash"
S: 5.7 OK *
C: 6.7 LSUB "" *
S: *...
S: * LSUB (\HasNoChildren \Trash) "/" "Trash"
S: 6.7 OK *
C: 7.7 STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)
S: * STATUS "INBOX" (MESSAGES 3 RECENT 3 UIDNEXT 4 UIDVALIDITY $(v) UNSEEN 3)
S: 7.7 OK *
C: 8.7 SELECT INBOX
S: *...
S: * 3 EXISTS
S: *...
S: * OK [UIDVALIDITY $(v)] *
S: *...
S: 8.7 OK [READ-WRITE] *
C: 9.7 FETCH 1:3 (FLAGS UID)
S: * 1 FETCH (UID 1 FLAGS (\Recent))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: 9.7 OK *
C: 10.7 UID FETCH 3 (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (date subject from to cc message-id in-reply-to references content-type x-priority x-uniform-type-identifier x-universally-unique-identifier list-id list-unsubscribe bimi-indicator bimi-location x-bimi-indicator-hash authentication-results dkim-signature)])
S: * 3 FETCH (UID 3 FLAGS (\Recent) INTERNALDATE "*
S: 10.7 OK *
C: 11.7 UID FETCH 2 (BODYSTRUCTURE BODY.PEEK[HEADER])
S: * 2 FETCH (UID 2 BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "QUOTED-PRINTABLE" *
S: 11.7 OK *
C: 12.7 UID FETCH 2 (BODY.PEEK[1] BODY.PEEK[2])
S: * 2 FETCH (UID 2 BODY[1] {"Guten Tag,\r\n\r\nanbei Ihre Rechnung =C3=BCber 184,50 =E2=82=AC. Der Betrag wird in sieben T=\r\nagen abgebucht.\r\n\r\nMit freundlichen Gr=C3=BC=C3=9Fen\r\nIhre Buchhaltung\r\n"} BODY[2] *
S: 12.7 OK *
C: 13.7 UID FETCH 2 BODY.PEEK[2]<0.12>
S: * 2 FETCH (UID 2 BODY[2]<0> {"JVBERi0xLjQK"})
S: 13.7 OK *
C: 14.7 UID FETCH 2 BODY.PEEK[2]<65536.7048>
S: * 2 FETCH (UID 2 BODY[2]<65536> "")
S: 14.7 OK *
C: 15.7 UID STORE 2 +FLAGS.SILENT (\Seen)
S: 15.7 OK *
C: 16.7 UID STORE 1:2 +FLAGS.SILENT ($NotJunk NotJunk)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $NotJunk NotJunk)
S: * OK [PERMANENTFLAGS *
S: 16.7 OK *
C: 17.7 UID STORE 1 -FLAGS.SILENT (\Flagged $MailFlagBit0 $MailFlagBit1 $MailFlagBit2)
S: *...
S: 17.7 OK *
C: 18.7 APPEND Sent (\Seen $NotJunk NotJunk) "17-Nov-2026 10:00:00 +0100" {thread-2.eml}
S: 18.7 OK [APPENDUID $(_) 1] *
C: 19.7 IDLE
S: + idling
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b APPEND INBOX {plain.eml}
S2: b OK *
S: * 4 EXISTS
S: * 4 RECENT
C: DONE
S: 19.7 OK *
C: 20.7 NOOP
S: 20.7 OK *
C: 21.7 FETCH 4:4 (FLAGS UID)
S: * 4 FETCH (UID 4 FLAGS (\Recent))
S: 21.7 OK *
C: 22.7 UID COPY 1 Trash
S: 22.7 OK [COPYUID $(_) 1 1] *
C: 23.7 UID STORE 1 +FLAGS.SILENT (\Deleted)
S: 23.7 OK *
C: 24.7 UID EXPUNGE 1
S: * 1 EXPUNGE
S: 24.7 OK *
C: 25.7 CHECK
S: 25.7 OK *
C: 26.7 CLOSE
S: 26.7 OK *
C: 27.7 LOGOUT
S: * BYE *
S: 27.7 OK *
eof
