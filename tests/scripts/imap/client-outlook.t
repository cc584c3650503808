# client-outlook.t    what Outlook for Windows sends: CAPABILITY again after LOGIN, LIST and LSUB, RFC822.PEEK, own folders, EXPUNGE
account alice INBOX plain.eml attachment-pdf.eml thread-2.eml
C: lc8r CAPABILITY
S: * CAPABILITY IMAP4rev1 *
S: lc8r OK *
C: 6nbt LOGIN alice secret
S: 6nbt OK *
C: m0zk CAPABILITY
S: * CAPABILITY IMAP4rev1 *
S: m0zk OK *
C: xu5a NAMESPACE
S: * NAMESPACE (("" "/")) NIL NIL
S: xu5a OK *
C: 2dwv LIST "" ""
S: * LIST (\Noselect) "/" ""
S: 2dwv OK *
C: 9xo3 XLIST "" "*"
S: 9xo3 BAD *
C: h1kq LIST "" "*"
S: * LIST (\HasNoChildren \Archive) "/" "Archive"
S: *...
S: * LIST (\HasNoChildren) "/" "INBOX"
S: *...
S: * LIST (\HasNoChildren \Trash) "/" "Trash"
S: h1kq OK *
C: 7ypn LSUB "" "*"
S: *...
S: * LSUB (\HasNoChildren \Trash) "/" "Trash"
S: 7ypn OK *
C: b4ce CREATE "Deleted Items"
S: b4ce OK *
C: wq2m SUBSCRIBE "Deleted Items"
S: wq2m OK *
C: o8rf STATUS "Sent" (UIDNEXT UIDVALIDITY MESSAGES UNSEEN)
S: * STATUS "Sent" (MESSAGES 0 UIDNEXT 1 UIDVALIDITY $(_) UNSEEN 0)
S: o8rf OK *
C: g3tj SELECT "INBOX"
S: *...
S: * 3 EXISTS
S: *...
S: * OK [UIDVALIDITY $(v)] *
S: *...
S: g3tj OK [READ-WRITE] *
C: z9hy UID FETCH 1:* (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS (\Recent))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: z9hy OK *
C: k7dl UID FETCH 1,3 (UID RFC822.SIZE FLAGS INTERNALDATE BODY.PEEK[HEADER])
S: * 1 FETCH (UID 1 FLAGS (\Recent) INTERNALDATE "*
S: * 3 FETCH (UID 3 FLAGS (\Recent) INTERNALDATE "*
S: k7dl OK *
C: 5ivx UID FETCH 1 (BODY.PEEK[HEADER] BODY.PEEK[TEXT] UID RFC822.SIZE)
S: * 1 FETCH (UID 1 RFC822.SIZE 424 BODY[HEADER] *
S: 5ivx OK *
C: 0qsc UID FETCH 1 (UID RFC822.SIZE RFC822.peek)
S: * 1 FETCH (UID 1 RFC822.SIZE 424 RFC822 {plain.eml})
S: 0qsc OK *
C: p6wn UID FETCH 2 (UID RFC822.SIZE BODY.PEEK[])
S: * 2 FETCH (UID 2 RFC822.SIZE 1867 BODY[] {attachment-pdf.eml})
S: p6wn OK *
C: e1bu UID STORE 1 +FLAGS (\Seen)
S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent))
S: e1bu OK *
C: t4mz UID STORE 2 -FLAGS (\Seen)
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: t4mz OK *
C: y8ao IDLE
S: + idling
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
S: * 4 EXISTS
S: * 4 RECENT
C: DONE
S: y8ao OK *
C: c5lf NOOP
S: c5lf OK *
C: 3gkr UID FETCH 4:* (UID FLAGS)
S: * 4 FETCH (UID 4 FLAGS (\Recent))
S: 3gkr OK *
C: n2xe APPEND "Sent" (\Seen) {thread-2.eml}
S: n2xe OK [APPENDUID $(_) 1] *
C: r9pv UID COPY 3 "Deleted Items"
S: r9pv OK [COPYUID $(_) 3 1] *
C: 1jwd UID STORE 3 +FLAGS (\Deleted)
S: * 3 FETCH (UID 3 FLAGS (\Deleted \Recent))
S: 1jwd OK *
C: u6hs EXPUNGE
S: * 3 EXPUNGE
S: u6hs OK *
C: 8zqc UID FETCH 1:* (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 4 FLAGS (\Recent))
S: 8zqc OK *
C: d0ti SELECT "Deleted Items"
S: *...
S: * 1 EXISTS
S: *...
S: d0ti OK [READ-WRITE] *
C: v7on CLOSE
S: v7on OK *
C: 4fbg LOGOUT
S: * BYE *
S: 4fbg OK *
eof
