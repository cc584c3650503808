# keywords-have-a-limit.t    [imap] keywords; RFC 3501 section 7.1, PERMANENTFLAGS without \*
config imap.keywords = 2
account alice INBOX plain.eml plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \\x2a)] *
S: *...
S: b OK *
C: c STORE 1 +FLAGS (one)
S: *...
S: * 1 FETCH (FLAGS (\Recent one))
S: c OK *
C: d STORE 1 +FLAGS.SILENT (two)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft one two)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft one two)] *
S: d OK *
C: e STORE 1 +FLAGS (three)
S: e NO [LIMIT] *
C: f STORE 2 +FLAGS (ONE)
S: * 2 FETCH (FLAGS (\Recent one))
S: f OK *
