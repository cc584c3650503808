# expunge-removes-what-is-deleted.t    RFC 3501 section 6.4.3
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b EXPUNGE
S: b OK *
C: c STORE 1 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d EXPUNGE
S: * 1 EXPUNGE
S: d OK *
C: e FETCH 1:* UID
S: * 1 FETCH (UID 2)
S: e OK *
C: f FETCH 1:* (UID RFC822.SIZE)
S: * 1 FETCH (UID 2 RFC822.SIZE 255)
S: f OK *
