# idle-in-a-deleted-mailbox.t    RFC 2177 section 3: all messages go at once
account alice Archive plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b SELECT Archive
S: *...
S: b OK *
C: c IDLE
S: + *
C2: a LOGIN alice secret
S2: a OK *
C2: b DELETE Archive
S2: b OK *
S: * 1 EXPUNGE
C: DONE
S: *...
S: c OK *
C: d NOOP
S: d OK *
