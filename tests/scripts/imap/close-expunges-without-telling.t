# close-expunges-without-telling.t    RFC 3501 section 6.4.2
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b CLOSE
S: b BAD *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: c STORE 1 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d CLOSE
S: d OK *
S! EXPUNGE
C: e FETCH 1 FLAGS
S: e BAD *
C: f STATUS INBOX (MESSAGES UIDNEXT)
S: * STATUS "INBOX" (MESSAGES 1 UIDNEXT 3)
S: f OK *
