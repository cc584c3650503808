# uid-move-expunges-the-source.t    RFC 6851 section 3.3
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b UID MOVE 2 Archive
S: * OK [COPYUID $(_) 2 1] *
S: * 2 EXPUNGE
S: b OK *
C: c UID MOVE 99 Archive
S: c OK *
C: d UID MOVE 1
S: d BAD *
