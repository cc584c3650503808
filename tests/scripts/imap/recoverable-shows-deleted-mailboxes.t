# recoverable-shows-deleted-mailboxes.t    [imap] undelete_tree: single messages of a deleted mailbox
config imap.undelete_tree = yes
account alice Work/2026 plain.eml dot-lines.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT Work/2026
S: *...
S: b OK *
C: b2 COPY 1 Sent
S: b2 OK *
C: c STORE 1 +FLAGS.SILENT \Deleted
S: *...
S: c OK *
C: d CLOSE
S: d OK *
C: e DELETE Work/2026
S: e OK *
C: f LIST "" Recoverable/* RETURN (STATUS (MESSAGES))
S: * LIST (\Noselect \HasChildren) "/" "Recoverable/Work"
S: * LIST (\HasNoChildren) "/" "Recoverable/Work/2026"
S: * STATUS "Recoverable/Work/2026" (MESSAGES 2)
S: f OK *
C: g EXAMINE Recoverable/Work/2026
S: *...
S: g OK [READ-ONLY] *
C: h UID FETCH 1:* RFC822.SIZE
S: * 1 FETCH (UID 1 RFC822.SIZE *
S: * 2 FETCH (UID 2 RFC822.SIZE *
S: h OK *
C: i UID MOVE 1:2 Archive
S: *...
S: i OK *
C: j NOOP
S: j OK *
C: k STATUS Archive (MESSAGES)
S: * STATUS "Archive" (MESSAGES 2)
S: k OK *
C: l CREATE Recoverable/New
S: l NO [CANNOT] *
C: m RENAME Recoverable/Work Work
S: m NO [CANNOT] *
C: n DELETE Recoverable/Work/2026
S: n NO [CANNOT] *
C: o APPEND Recoverable/Work/2026 {plain.eml+}
S: o NO [CANNOT] *
C: p SUBSCRIBE Recoverable/Work/2026
S: p NO [CANNOT] *
C: q SELECT Recoverable/Work
S: q NO [NONEXISTENT] *
C: r SELECT Recoverable
S: r NO [CANNOT] *
C: s SELECT Sent
S: *...
S: s OK *
C: t COPY 1 Recoverable/Work/2026
S: t NO [CANNOT] *
