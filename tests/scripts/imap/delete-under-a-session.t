# delete-under-a-session.t    RFC 2180 section 3.3: all messages go, then the mailbox is refused
account alice Archive plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b SELECT Archive
S: *...
S: b OK *
C2: a LOGIN alice secret
S2: a OK *
C2: b DELETE Archive
S2: b OK *
C: c NOOP
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: *...
S: c OK *
C: d FETCH 1 FLAGS
S: d NO [NONEXISTENT] *
C: e COPY 1 INBOX
S: e NO [NONEXISTENT] *
C: f CLOSE
S: f OK *
C: g SELECT Archive
S: g NO [NONEXISTENT] *
