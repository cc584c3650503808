# rename-of-inbox-moves-its-mail.t    RFC 3501 section 6.3.5: INBOX stays, empty
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b STATUS INBOX (UIDVALIDITY)
S: * STATUS "INBOX" (UIDVALIDITY $(validity))
S: b OK *
C: c RENAME INBOX old-mail
S: c OK *
C: d STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)
S: * STATUS "INBOX" (MESSAGES 0 UIDNEXT 2 UIDVALIDITY $(validity))
S: d OK *
C: e STATUS old-mail (MESSAGES)
S: * STATUS "old-mail" (MESSAGES 1)
S: e OK *
