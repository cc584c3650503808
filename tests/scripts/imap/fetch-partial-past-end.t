# fetch-partial-past-end.t    RFC 3501 section 6.4.5: beyond the end is an empty string
account alice INBOX plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK [READ-WRITE] *
C: c FETCH 1 BODY.PEEK[]<9999.10>
S: * 1 FETCH (BODY[]<9999> "")
S: c OK *
