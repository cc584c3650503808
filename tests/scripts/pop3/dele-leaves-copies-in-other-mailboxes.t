# dele-leaves-copies-in-other-mailboxes.t    a message copied over IMAP is two messages
account alice INBOX plain.eml
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b SELECT INBOX
S2: *...
S2: b OK *
C2: c COPY 1 Archive
S2: c OK *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C: QUIT
S: +OK *
eof
C2: d STATUS Archive (MESSAGES)
S2: *...
S2: d OK *
C2: e SELECT Archive
S2: *...
S2: e OK *
C2: f FETCH 1 BODY.PEEK[]
S2: * 1 FETCH (BODY[] {plain.eml})
S2: f OK *
