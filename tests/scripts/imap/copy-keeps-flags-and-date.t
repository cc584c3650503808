# copy-keeps-flags-and-date.t    RFC 3501 section 6.4.7, RFC 4315 section 3: [COPYUID]
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND INBOX (\Seen $x) "17-Jul-1996 02:44:25 -0700" {plain.eml}
S: b OK *
C: c APPEND INBOX {dot-lines.eml}
S: c OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: d STATUS Archive (UIDVALIDITY)
S: * STATUS "Archive" (UIDVALIDITY $(validity))
S: d OK *
C: e COPY 1:2 Archive
S: e OK [COPYUID $(validity) 1:2 1:2] *
C: f EXAMINE Archive
S: *...
S: f OK *
C: g FETCH 1 (FLAGS INTERNALDATE)
S: * 1 FETCH (FLAGS (\Seen \Recent $x) INTERNALDATE "17-Jul-1996 02:44:25 -0700")
S: g OK *
C: h FETCH 2 BODY.PEEK[]
S: * 2 FETCH (BODY[] {dot-lines.eml})
S: h OK *
