# client-apple-mail-ios.t    what Mail of iOS 18 sends: several commands in one write, SEARCH RETURN, LIST with STATUS, MOVE
account alice INBOX plain.eml attachment-pdf.eml thread-2.eml
C: A1 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: A1 OK [CAPABILITY *
C: A2 ID ("name" "iPhone Mail" "version" "22A3354" "os" "iOS" "os-version" "18.0 (22A3354)")
S: * ID *
S: A2 OK *
C~: A3 NAMESPACE\x0d\x0aA4 LIST "" "*" RETURN (SPECIAL-USE)\x0d\x0a
S: * NAMESPACE (("" "/")) NIL NIL
S: A3 OK *
S: * LIST (\HasNoChildren \Archive) "/" "Archive"
S: * LIST (\HasNoChildren \Drafts) "/" "Drafts"
S: * LIST (\HasNoChildren) "/" "INBOX"
S: * LIST (\HasNoChildren \Junk) "/" "Junk"
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: * LIST (\HasNoChildren \Trash) "/" "Trash"
S: A4 OK *
C: A5 LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN))
S: *...
S: * LIST (\HasNoChildren) "/" "INBOX"
S: * STATUS "INBOX" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY $(v) UNSEEN 3)
S: *...
S: * LIST (\HasNoChildren \Trash) "/" "Trash"
S: * STATUS "Trash" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY $(_) UNSEEN 0)
S: A5 OK *
C: A6 SELECT INBOX
S: *...
S: * OK [UIDVALIDITY $(v)] *
S: *...
S: A6 OK [READ-WRITE] *
C~: A7 UID SEARCH RETURN (ALL) 1:* NOT DELETED\x0d\x0aA8 FETCH 1:3 (FLAGS UID)\x0d\x0aA9 UID FETCH 2,3 (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (date subject from to cc message-id in-reply-to references content-type x-priority x-uniform-type-identifier x-universally-unique-identifier list-id list-unsubscribe)])\x0d\x0a
S: * ESEARCH (TAG "A7") UID ALL 1:3
S: A7 OK *
S: * 1 FETCH (UID 1 FLAGS (\Recent))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: A8 OK *
S: * 2 FETCH (UID 2 FLAGS (\Recent) INTERNALDATE "*
S: * 3 FETCH (UID 3 FLAGS (\Recent) INTERNALDATE "*
S: A9 OK *
C: A10 UID FETCH 2 (BODYSTRUCTURE BODY.PEEK[HEADER])
S: * 2 FETCH (UID 2 BODYSTRUCTURE *
S: A10 OK *
C: A11 UID FETCH 2 (BODY.PEEK[1]<0.10> BODY.PEEK[1.MIME])
S: * 2 FETCH (UID 2 BODY[1]<0> {"Guten Tag,"} BODY[1.MIME] {"Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"})
S: A11 OK *
C: A12 UID FETCH 1 (BODY.PEEK[TEXT]<0.2048>)
S: * 1 FETCH (UID 1 BODY[TEXT]<0> *
S: A12 OK *
C: A13 UID STORE 2 +FLAGS.SILENT (\Seen)
S: A13 OK *
C: A14 UID STORE 1 +FLAGS (\Flagged)
S: * 1 FETCH (UID 1 FLAGS (\Flagged \Recent))
S: A14 OK *
C: A15 UID SEARCH RETURN (ALL) SINCE 1-Jan-2020 NOT DELETED OR FROM anna SUBJECT "contracts"
S: * ESEARCH (TAG "A15") UID ALL 1,3
S: A15 OK *
C: A16 APPEND Drafts (\Seen \Draft) "17-Nov-2026 10:00:00 +0100" {thread-2.eml}
S: A16 OK [APPENDUID $(_) 1] *
C: A17 IDLE
S: + idling
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c UID MOVE 3 Archive
S2: *...
S2: c OK *
S: * 3 EXPUNGE
C: DONE
S: A17 OK *
C: A18 UID MOVE 1 Trash
S: * OK [COPYUID $(_) 1 1] *
S: * 1 EXPUNGE
S: A18 OK *
C: A19 UID STORE 2 +FLAGS.SILENT (\Deleted)
S: A19 OK *
C: A20 UID EXPUNGE 2
S: * 1 EXPUNGE
S: A20 OK *
C: A21 CLOSE
S: A21 OK *
C: A22 STATUS INBOX (MESSAGES UNSEEN)
S: * STATUS "INBOX" (MESSAGES 0 UNSEEN 0)
S: A22 OK *
C: A23 LOGOUT
S: * BYE *
S: A23 OK *
eof
