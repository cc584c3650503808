# client-thunderbird.t    what Thunderbird 115 and later send: setup, headers, reading, IDLE, flags, junk, drafts, delete
account alice INBOX plain.eml attachment-pdf.eml thread-2.eml
S: * OK [CAPABILITY IMAP4rev1 *
C: 1 authenticate PLAIN
S: + 
C: AGFsaWNlAHNlY3JldA==
S: 1 OK [CAPABILITY IMAP4rev1 *
C: 2 ID ("name" "Thunderbird" "version" "128.4.0")
S: * ID ("name" "Tandem"*
S: 2 OK *
C: 3 namespace
S: * NAMESPACE (("" "/")) NIL NIL
S: 3 OK *
C: 4 list (subscribed) "" "*" return (special-use)
S: * LIST (\HasNoChildren \Subscribed \Archive) "/" "Archive"
S: * LIST (\HasNoChildren \Subscribed \Drafts) "/" "Drafts"
S: * LIST (\HasNoChildren \Subscribed) "/" "INBOX"
S: * LIST (\HasNoChildren \Subscribed \Junk) "/" "Junk"
S: * LIST (\HasNoChildren \Subscribed \Sent) "/" "Sent"
S: * LIST (\HasNoChildren \Subscribed \Trash) "/" "Trash"
S: 4 OK *
C: 5 lsub "" "*"
S: *...
S: * LSUB (\HasNoChildren) "/" "INBOX"
S: *...
S: * LSUB (\HasNoChildren \Trash) "/" "Trash"
S: 5 OK *
C: 6 list "" "INBOX"
S: * LIST (\HasNoChildren) "/" "INBOX"
S: 6 OK *
C: 7 select "INBOX"
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] *
S: * 3 EXISTS
S: * 3 RECENT
S: * OK [UNSEEN 1] *
S: * OK [UIDVALIDITY $(v)] *
S: * OK [UIDNEXT 4] *
S: *...
S: 7 OK [READ-WRITE] *
C: 8 UID fetch 1:* (FLAGS)
S: * 1 FETCH (UID 1 FLAGS (\Recent))
S: * 2 FETCH (UID 2 FLAGS (\Recent))
S: * 3 FETCH (UID 3 FLAGS (\Recent))
S: 8 OK *
C: 9 UID fetch 1,3 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])
S: * 1 FETCH (UID 1 FLAGS (\Recent) RFC822.SIZE 424 BODY[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)] {"From: Anna Berger <anna@example.org>\r\nTo: Alice <alice@example.org>\r\nSubject: Lunch on Thursday\r\nDate: Mon, 16 Nov 2026 09:12:41 +0100\r\nMessage-ID: <20261116091241.4711@example.org>\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"})
S: * 3 FETCH (UID 3 FLAGS (\Recent) RFC822.SIZE 440 BODY[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)] {"From: Alice <alice@example.org>\r\nTo: bob@example.org\r\nSubject: Re: Where do we keep the old contracts?\r\nDate: Tue, 17 Nov 2026 09:12:30 +0100\r\nMessage-ID: <contracts-2@example.org>\r\nIn-Reply-To: <contracts-1@example.org>\r\nReferences: <contracts-1@example.org>\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"})
S: 9 OK *
C: 10 UID fetch 1 (UID RFC822.SIZE BODY.PEEK[])
S: * 1 FETCH (UID 1 RFC822.SIZE 424 BODY[] {plain.eml})
S: 10 OK *
C: 11 uid store 1 +Flags (\Seen)
S: * 1 FETCH (UID 1 FLAGS (\Seen \Recent))
S: 11 OK *
C: 12 IDLE
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
S: 12 OK *
C: 13 noop
S: 13 OK *
C: 14 UID fetch 4:* (FLAGS)
S: * 4 FETCH (UID 4 FLAGS (\Recent))
S: 14 OK *
C: 15 UID fetch 2 (UID RFC822.SIZE BODY[]<0.20>)
S: * 2 FETCH (UID 2 RFC822.SIZE 1867 BODY[]<0> {"Return-Path: <billin"})
S: * 2 FETCH (UID 2 FLAGS (\Seen \Recent))
S: 15 OK *
C: 16 UID fetch 2 (UID RFC822.SIZE BODY[]<20.12288>)
S: * 2 FETCH (UID 2 RFC822.SIZE 1867 BODY[]<20> *
S: 16 OK *
C: 17 uid store 2 +Flags ($label1 NonJunk)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $label1 NonJunk)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $label1 NonJunk \*)] *
S: * 2 FETCH (UID 2 FLAGS (\Seen \Recent $label1 NonJunk))
S: 17 OK *
C: 18 uid store 3 +FLAGS (\Answered)
S: * 3 FETCH (UID 3 FLAGS (\Answered \Recent))
S: 18 OK *
C: 19 uid move 4 "Junk"
S: * OK [COPYUID $(_) 4 1] *
S: * 4 EXPUNGE
S: 19 OK *
C: 20 append "Drafts" (\Draft \Seen) {plain.eml+}
S: 20 OK [APPENDUID $(_) 1] *
C: 21 STATUS "Drafts" (UIDNEXT MESSAGES UNSEEN RECENT)
S: * STATUS "Drafts" (MESSAGES 1 RECENT 1 UIDNEXT 2 UNSEEN 0)
S: 21 OK *
C: 22 append "Sent" (\Seen) {thread-2.eml+}
S: 22 OK [APPENDUID $(_) 1] *
C: 23 uid copy 1 "Archive"
S: 23 OK [COPYUID $(_) 1 1] *
C: 24 uid move 3 "Trash"
S: * OK [COPYUID $(_) 3 1] *
S: * 3 EXPUNGE
S: 24 OK *
C: 25 uid store 1 +Flags (\Deleted \Seen)
S: * 1 FETCH (UID 1 FLAGS (\Deleted \Seen \Recent))
S: 25 OK *
C: 26 expunge
S: * 1 EXPUNGE
S: 26 OK *
C: 27 UID fetch 1:* (FLAGS)
S: * 1 FETCH (UID 2 FLAGS (\Seen \Recent $label1 NonJunk))
S: 27 OK *
C: 28 create "Projects"
S: 28 OK *
C: 29 subscribe "Projects"
S: 29 OK *
C: 30 rename "Projects" "Trash/Projects"
S: 30 OK *
C: 31 unsubscribe "Projects"
S: 31 OK *
C: 32 select "Trash"
S: *...
S: 32 OK [READ-WRITE] *
C: 33 UID SEARCH UNDELETED HEADER Message-ID <contracts-2@example.org>
S: * SEARCH 1
S: 33 OK *
C: 34 uid store 1:* +FLAGS (\Deleted)
S: * 1 FETCH (UID 1 FLAGS (*
S: 34 OK *
C: 35 close
S: 35 OK *
C: 36 delete "Trash/Projects"
S: 36 OK *
C: 37 logout
S: * BYE *
S: 37 OK *
eof
