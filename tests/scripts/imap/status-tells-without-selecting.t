# status-tells-without-selecting.t    RFC 3501 section 6.3.10, RFC 8438 section 3
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b STATUS inbox (MESSAGES RECENT UIDNEXT UNSEEN SIZE)
S: * STATUS "INBOX" (MESSAGES 2 RECENT 2 UIDNEXT 3 UNSEEN 2 SIZE 679)
S: b OK *
C: c STATUS nowhere (MESSAGES)
S: c NO [NONEXISTENT] *
C: d STATUS INBOX ()
S: d BAD *
C: e STATUS INBOX (XYZZY)
S: e BAD *
C: f STATUS INBOX MESSAGES
S: f BAD *
C: g STATUS {5}
S: + *
C: INBOX (MESSAGES)
S: * STATUS "INBOX" (MESSAGES 2)
S: g OK *
