# uid-expunge-takes-only-those.t    RFC 4315 section 2.1
account alice INBOX plain.eml dot-lines.eml nested.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b STORE 1:2 +FLAGS.SILENT (\Deleted)
S: b OK *
C: c UID EXPUNGE 2:3
S: * 2 EXPUNGE
S: c OK *
C: d UID EXPUNGE
S: d BAD *
C: e UID EXPUNGE 99
S: e OK *
C: f FETCH 1:* UID
S: * 1 FETCH (UID 1)
S: * 2 FETCH (UID 3)
S: f OK *
