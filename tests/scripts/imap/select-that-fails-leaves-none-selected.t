# select-that-fails-leaves-none-selected.t    RFC 3501 section 6.3.1
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b SELECT nowhere
S: b NO [NONEXISTENT] *
C: c FETCH 1 FLAGS
S: c BAD *
C: d SELECT a//b
S: d NO [CANNOT] *
C: e SELECT
S: e BAD *
C: f SELECT inBOX
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] *
S: * 1 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] *
S: * OK [UIDVALIDITY *
S: * OK [UIDNEXT 2] *
S: f OK [READ-WRITE] *
