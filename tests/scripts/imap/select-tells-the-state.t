# select-tells-the-state.t    RFC 3501 section 6.3.1
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b SELECT INBOX
S: *...
S: * 2 EXISTS
S: *...
S: * OK [UIDVALIDITY $(v)] *
S: *...
S: b OK [READ-WRITE] *
C: c SELECT inbox
S: *...
S: * OK [UIDVALIDITY $(v)] *
S: *...
S: c OK [READ-WRITE] *
C: d SELECT nowhere
S: d NO [NONEXISTENT] *
C: e FETCH 1 FLAGS
S: e BAD *
