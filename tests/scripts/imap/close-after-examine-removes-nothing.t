# close-after-examine-removes-nothing.t    RFC 3501 section 6.4.2: selected read-only
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b STORE 1 +FLAGS.SILENT (\Deleted)
S: b OK *
C: c EXAMINE INBOX
S: *...
S: c OK [READ-ONLY] *
C: d CLOSE
S: d OK *
C: e STATUS INBOX (MESSAGES)
S: * STATUS "INBOX" (MESSAGES 1)
S: e OK *
