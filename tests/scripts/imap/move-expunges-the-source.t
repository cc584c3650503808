# move-expunges-the-source.t    RFC 6851 sections 3.3 and 4.3: COPYUID first, then EXPUNGE
account alice INBOX plain.eml dot-lines.eml nested.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b MOVE 1:2 Archive
S: * OK [COPYUID $(_) 1:2 1:2] *
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: b OK *
C: c MOVE 1 nowhere
S: c NO [TRYCREATE] *
C: d MOVE 2 Archive
S: d BAD *
C: e EXAMINE INBOX
S: *...
S: e OK *
C: f MOVE 1 Archive
S: f NO [NOPERM] *
C: g STATUS Archive (MESSAGES)
S: * STATUS "Archive" (MESSAGES 2)
S: g OK *
