# expunge-told-by-number-as-they-go.t    RFC 3501 section 7.4.1: each number counts what is left
account alice INBOX plain.eml dot-lines.eml nested.eml no-mime.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b STORE 1,3:4 +FLAGS.SILENT (\Deleted)
S: b OK *
C: c EXPUNGE
S: * 1 EXPUNGE
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: c OK *
C: d UID FETCH 1:* FLAGS
S: * 1 FETCH (UID 2 FLAGS (\Recent))
S: d OK *
C: e EXPUNGE 1
S: e BAD *
C: f EXPUNGE
S: f OK *
