# check-tells-of-new-mail.t    RFC 3501 section 6.4.1
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b CHECK
S: b BAD *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C2: a LOGIN alice secret
S2: a OK *
C2: b APPEND INBOX {plain.eml}
S2: b OK *
C: c CHECK
S: * 2 EXISTS
S: * 2 RECENT
S: c OK *
C: d CHECK x
S: d BAD *
