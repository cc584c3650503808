# store-replaces-adds-and-removes.t    RFC 3501 section 6.4.6
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b STORE 1 FLAGS (\Seen $Label)
S: * FLAGS *
S: * OK [PERMANENTFLAGS *
S: * 1 FETCH (FLAGS (\Seen \Recent $Label))
S: b OK *
C: c STORE 1:2 +FLAGS \Flagged \Answered
S: * 1 FETCH (FLAGS (\Answered \Flagged \Seen \Recent $Label))
S: * 2 FETCH (FLAGS (\Answered \Flagged \Recent))
S: c OK *
C: d STORE 1 -FLAGS.SILENT (\Flagged $label)
S: d OK *
C: e FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Answered \Seen \Recent))
S: e OK *
C: f STORE 1 FLAGS ()
S: * 1 FETCH (FLAGS (\Recent))
S: f OK *
C: g STORE 1 -FLAGS (\Seen)
S: * 1 FETCH (FLAGS (\Recent))
S: g OK *
C: h STORE 3 FLAGS ()
S: h BAD *
C: i STORE 1 FLAGS (\Recent)
S: i BAD *
C: j STORE 1 +FLAGS
S: j BAD *
C: k STORE 1 XFLAGS (\Seen)
S: k BAD *
