# store-answers-with-the-flags.t    RFC 3501 section 6.4.6
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b STORE 1 +FLAGS (\Flagged)
S: * 1 FETCH (FLAGS (\Flagged*
S: b OK *
C: c STORE 1:2 FLAGS.SILENT (\Answered)
S: c OK *
C: d FETCH 1:2 FLAGS
S: * 1 FETCH (FLAGS (\Answered*
S: * 2 FETCH (FLAGS (\Answered*
S: d OK *
C: e STORE 1 -FLAGS (\Answered)
S: * 1 FETCH *
S: e OK *
S! Answered
C: f STORE 9 +FLAGS (\Seen)
S: f BAD *
C: g STORE 1 +FLAGS (\Nonsense)
S: g BAD *
