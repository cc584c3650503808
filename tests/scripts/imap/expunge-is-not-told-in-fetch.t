# expunge-is-not-told-in-fetch.t    RFC 3501 section 7.4.1: no EXPUNGE while FETCH, STORE or SEARCH is in progress
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c STORE 1 +FLAGS.SILENT (\Deleted)
S2: c OK *
C2: d EXPUNGE
S2: * 1 EXPUNGE
S2: d OK *
C: b FETCH 1:2 UID
S: * 1 FETCH (UID 1)
S: *...
S: b OK *
S! EXPUNGE
C: c FETCH 1 BODY.PEEK[]
S: *...
S: * 1 FETCH (BODY[] {plain.eml})
S: *...
S: c OK *
C: d NOOP
S: *...
S: * 1 EXPUNGE
S: *...
S: d OK *
C: e FETCH 1 UID
S: * 1 FETCH (UID 2)
S: e OK *
