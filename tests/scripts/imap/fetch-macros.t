# fetch-macros.t    RFC 3501 section 6.4.5: ALL, FAST and FULL, each alone
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND INBOX (\Seen) "17-Jul-1996 02:44:25 -0700" {"From: a@example.org\r\n\r\nHi\r\n"}
S: b OK *
C: a2 EXAMINE INBOX
S: *...
S: a2 OK [READ-ONLY] *
C: c FETCH 1 FAST
S: * 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 27)
S: c OK *
C: d FETCH 1 all
S: * 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 27 ENVELOPE (NIL NIL ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL NIL NIL NIL))
S: d OK *
C: e FETCH 1 FULL
S: * 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE 27 ENVELOPE (NIL NIL ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL NIL NIL NIL) BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 4 1))
S: e OK *
C: f FETCH 1 (ALL)
S: f BAD *
C: g FETCH 1 (FLAGS FAST)
S: g BAD *
