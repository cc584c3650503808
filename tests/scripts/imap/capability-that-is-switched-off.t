# capability-that-is-switched-off.t    capabilities_off of a listener and of [imap]: neither announced nor
# known where something asks for it (RFC 3501 section 6.1.1)
account alice INBOX plain.eml
config listen imap.capabilities_off = MOVE, literal+, AUTH=LOGIN, SASL-IR
config imap.capabilities_off = IDLE, UIDPLUS, UNSELECT, ENABLE, ID, NAMESPACE, STARTTLS, APPENDLIMIT
C: a CAPABILITY
S: * CAPABILITY IMAP4rev1 CHILDREN LIST-EXTENDED LIST-STATUS SPECIAL-USE STATUS=SIZE ESEARCH *
S: a OK *
S! MOVE
S! LITERAL
S! LOGIN
C: b ID NIL
S: b BAD Unknown command
C: b2 STARTTLS
S: b2 BAD Unknown command
C: c AUTHENTICATE LOGIN
S: c NO *
C: d AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: d BAD *
C: e AUTHENTICATE PLAIN
S: + *
C: AGFsaWNlAHNlY3JldA==
S: e OK *
C: f SELECT INBOX
S: *...
S: f OK *
C: g MOVE 1 Trash
S: g BAD Unknown command
C: h UID MOVE 1 Trash
S: h BAD Unknown command
C: i UID EXPUNGE 1
S: i BAD Unknown command
C: j IDLE
S: j BAD Unknown command
C: k UNSELECT
S: k BAD Unknown command
C: l ENABLE X-GOOD
S: l BAD Unknown command
C: m NAMESPACE
S: m BAD Unknown command
C: n STATUS {"INBOX"+} (MESSAGES)
S: n BAD *
C: o STATUS {"INBOX"} (MESSAGES)
S: * STATUS "INBOX" (MESSAGES 1)
S: o OK *
