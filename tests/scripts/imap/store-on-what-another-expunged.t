# store-on-what-another-expunged.t    RFC 3501 section 7.4.1, RFC 5530 section 3: [EXPUNGEISSUED]
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
C2: c STORE 1 +FLAGS.SILENT (\Deleted)
S2: c OK *
C2: d EXPUNGE
S2: * 1 EXPUNGE
S2: d OK *
C: b STORE 1:2 +FLAGS (\Flagged)
S: *...
S: * 2 FETCH (FLAGS (\Flagged*
S: *...
S: b NO [EXPUNGEISSUED] *
S! * 1 EXPUNGE
C: c NOOP
S: * 1 EXPUNGE
S: *...
S: c OK *
