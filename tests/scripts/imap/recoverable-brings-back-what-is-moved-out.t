# recoverable-brings-back-what-is-moved-out.t    [imap] undelete_tree: the undelete window can be read
config imap.undelete_tree = yes
account alice INBOX plain.eml dot-lines.eml nested.eml
C: a LOGIN alice secret
S: a OK *
C: b LIST "" "Recoverable*"
S: b OK *
C: c SELECT INBOX
S: *...
S: c OK *
C: d STORE 2:3 +FLAGS.SILENT (\Deleted \Flagged word)
S: *...
S: d OK *
C: e EXPUNGE
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: e OK *
C: f LIST "" "Recoverable*"
S: * LIST (\Noselect \HasChildren) "/" "Recoverable"
S: * LIST (\HasNoChildren) "/" "Recoverable/INBOX"
S: f OK *
C: g LIST "" %
S: *...
S: g OK *
C: h LSUB "" "Recoverable*"
S: h OK *
C: i STATUS Recoverable/INBOX (MESSAGES UNSEEN UIDNEXT)
S: * STATUS "Recoverable/INBOX" (MESSAGES 2 UIDNEXT 4 UNSEEN 0)
S: i OK *
C: j SELECT recoverable/inbox
S: * FLAGS *
S: * OK [PERMANENTFLAGS ()] *
S: * 2 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY $(_)] *
S: * OK [UIDNEXT 4] *
S: j OK [READ-ONLY] *
C: k FETCH 1:* (UID FLAGS)
S: * 1 FETCH (UID 2 FLAGS (\Flagged word))
S: * 2 FETCH (UID 3 FLAGS (\Flagged word))
S: k OK *
C: l FETCH 1 BODY[]
S: * 1 FETCH (BODY[] {dot-lines.eml})
S: l OK *
C: m UID SEARCH FLAGGED
S: * SEARCH 2 3
S: m OK *
C: m2 SEARCH BODY "nested"
S: *...
S: m2 OK *
C: n STORE 1 +FLAGS \Seen
S: n NO [NOPERM] *
C: o EXPUNGE
S: o NO [NOPERM] *
C: p UID MOVE 2 INBOX
S: * OK [COPYUID $(_) 2 4] *
S: * 1 EXPUNGE
S: p OK *
C: q NOOP
S: q OK *
C: r UID FETCH 1:* FLAGS
S: * 1 FETCH (UID 3 FLAGS (\Flagged word))
S: r OK *
C: s COPY 1 Archive
S: * 1 EXPUNGE
S: s OK [COPYUID $(_) 3 1] *
C: s2 COPY 1 Archive
S: s2 BAD *
C: t SELECT INBOX
S: *...
S: t OK *
C: u FETCH 1:* (UID FLAGS)
S: * 1 FETCH (UID 1 FLAGS (*
S: * 2 FETCH (UID 4 FLAGS (\Flagged *
S: u OK *
C: v LIST "" "Recoverable*"
S: v OK *
C: w SELECT Recoverable/INBOX
S: w NO [NONEXISTENT] *
