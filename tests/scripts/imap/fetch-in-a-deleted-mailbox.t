# fetch-in-a-deleted-mailbox.t    RFC 3501 section 7.4.1: what was not told to be expunged is served;
# that it can no longer be marked as \Seen is no failure of the FETCH
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
C: c FETCH 2 BODY[]
S: * 2 FETCH (BODY[] {dot-lines.eml})
S: c OK *
C: d STORE 1 +FLAGS (\Seen)
S: d NO [NONEXISTENT] *
C: e UID FETCH 1 BODY.PEEK[]
S: * 1 FETCH (UID 1 BODY[] {plain.eml})
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: e OK *
C: f FETCH 1 FLAGS
S: f NO [NONEXISTENT] *
C2: c SELECT Drafts
S2: *...
S2: c OK *
C: g DELETE Drafts
S: g OK *
C2: d CLOSE
S2: d OK *
C2: e CHECK
S2: e BAD *
