# every-change-in-a-read-only-mailbox.t    RFC 3501 section 6.3.2, RFC 5530: NO [NOPERM]
account alice INBOX plain.eml
C: a LOGIN alice secret
S: a OK *
C: b EXAMINE INBOX
S: *...
S: b OK [READ-ONLY] *
C: t153 STORE 1 +FLAGS (\Seen)
S: t153 NO [NOPERM] *
C: t154 UID STORE 1 -FLAGS.SILENT ()
S: t154 NO [NOPERM] *
C: t155 EXPUNGE
S: t155 NO [NOPERM] *
C: t156 UID EXPUNGE 1
S: t156 NO [NOPERM] *
C: t157 MOVE 1 Archive
S: t157 NO [NOPERM] *
C: t158 UID MOVE 1 Archive
S: t158 NO [NOPERM] *
C: c COPY 1 Archive
S: c OK [COPYUID *
C: d CLOSE
S: d OK *
C: e STATUS INBOX (MESSAGES UNSEEN)
S: * STATUS "INBOX" (MESSAGES 1 UNSEEN 1)
S: e OK *
