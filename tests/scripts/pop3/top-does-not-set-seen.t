# top-does-not-set-seen.t    RFC 1939 section 7: TOP is a look, not a download
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: TOP 1 9999
S: +OK *
S: <<.plain.eml>>
S: .
C: QUIT
S: +OK bye
eof
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c FETCH 1 FLAGS
S2: * 1 FETCH *
S2: c OK *
S2! Seen
