# unselect-expunges-nothing.t    RFC 3691 section 2
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b UNSELECT
S: b BAD *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: c STORE 1 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d UNSELECT
S: d OK *
C: e STATUS INBOX (MESSAGES)
S: * STATUS "INBOX" (MESSAGES 1)
S: e OK *
