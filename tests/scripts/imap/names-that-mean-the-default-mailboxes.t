# names-that-mean-the-default-mailboxes.t    [imap] special_aliases: Sent Items is Sent while there is no such mailbox
account alice Sent plain.eml
C: a LOGIN alice secret
S: a OK *
C: b APPEND "Sent Items" {"Subject: one\r\n\r\nx\r\n"}
S: b OK [APPENDUID *
C: c STATUS "Sent Items" (MESSAGES)
S: * STATUS "Sent Items" (MESSAGES 2)
S: c OK *
C: d SELECT "sent items"
S: * FLAGS *
S: *...
S: * 2 EXISTS
S: *...
S: d OK [READ-WRITE] *
C: e COPY 1 "Deleted Messages"
S: e OK [COPYUID *
C: f MOVE 2 Spam
S: * OK [COPYUID *
S: * 2 EXPUNGE
S: f OK *
C: g STATUS Trash (MESSAGES)
S: * STATUS "Trash" (MESSAGES 1)
S: g OK *
C: h STATUS Junk (MESSAGES)
S: * STATUS "Junk" (MESSAGES 1)
S: h OK *
C: i LIST "" "S*"
S: * LIST (\HasNoChildren \Sent) "/" "Sent"
S: i OK *
C: j CREATE "Sent Items"
S: j OK *
C: k STATUS "Sent Items" (MESSAGES)
S: * STATUS "Sent Items" (MESSAGES 0)
S: k OK *
C: l DELETE "Deleted Messages"
S: l NO [NONEXISTENT] *
C: m RENAME Spam Ham
S: m NO [NONEXISTENT] *
C: n DELETE Junk
S: n OK *
C: o COPY 1 Spam
S: o NO [TRYCREATE] *
