# list-and-uidl-leave-out-deleted.t    RFC 1939 section 5: numbers of the others never change in a session
account alice INBOX plain.eml dot-lines.eml no-mime.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: DELE 2
S: +OK message deleted
C: LIST
S: +OK scan listing follows
S: 1 424
S: 3 *
S: .
C: UIDL
S: +OK *
S: 1 00000001$(v)
S: 3 00000003$(v)
S: .
C: LIST 2
S: -ERR no such message
C: UIDL 2
S: -ERR no such message
C: TOP 2 0
S: -ERR no such message
C: RETR 3
S: +OK *
S: <<.no-mime.eml>>
S: .
