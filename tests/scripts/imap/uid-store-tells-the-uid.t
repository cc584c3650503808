# uid-store-tells-the-uid.t    RFC 3501 section 6.4.8
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b UID STORE 2:50 +FLAGS (\Seen)
S: * 2 FETCH (UID 2 FLAGS (\Seen \Recent))
S: b OK *
C: c UID STORE 50 +FLAGS (\Seen)
S: c OK *
C: d UID STORE 2 -FLAGS.SILENT (\Seen)
S: d OK *
C: e UID STORE 2
S: e BAD *
