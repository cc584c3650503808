# store-reaches-an-idling-client.t    RFC 2177 section 3
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c IDLE
S2: + *
C: b STORE 1 +FLAGS.SILENT (\Flagged)
S: b OK *
S2: * 1 FETCH *
C: c STORE 1:2 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d EXPUNGE
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: d OK *
S2: *...
S2: * 1 EXPUNGE
S2: * 1 EXPUNGE
C2: DONE
S2: c OK *
