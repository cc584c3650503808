# examine-changes-nothing.t    RFC 3501 section 6.3.2: read-only, \Recent stays
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b EXAMINE INBOX
S: * FLAGS *
S: * OK [PERMANENTFLAGS ()] *
S: * 1 EXISTS
S: * 1 RECENT
S: * OK [UNSEEN 1] *
S: * OK [UIDVALIDITY *
S: * OK [UIDNEXT 2] *
S: b OK [READ-ONLY] *
C: c STORE 1 +FLAGS (\Seen)
S: c NO [NOPERM] *
C: d EXPUNGE
S: d NO [NOPERM] *
C: e FETCH 1 BODY[TEXT]<0.5>
S: * 1 FETCH (BODY[TEXT]<0> {"Hello"})
S: e OK *
C: f FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Recent))
S: f OK *
C: g SELECT INBOX
S: *...
S: * 1 RECENT
S: *...
S: g OK [READ-WRITE] *
C: h EXAMINE INBOX
S: *...
S: * 0 RECENT
S: *...
S: h OK *
C: i EXAMINE
S: i BAD *
