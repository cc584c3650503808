# recoverable-is-not-shown-unasked.t    [imap] undelete_tree = no, the default
account alice INBOX plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK *
C: c STORE 1 +FLAGS.SILENT \Deleted
S: *...
S: c OK *
C: d EXPUNGE
S: * 1 EXPUNGE
S: d OK *
C: e LIST "" "Recoverable*"
S: e OK *
C: f SELECT Recoverable/INBOX
S: f NO [CANNOT] *
C: g STATUS Recoverable/INBOX (MESSAGES)
S: g NO [CANNOT] *
