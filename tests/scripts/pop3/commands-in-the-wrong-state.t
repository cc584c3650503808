# commands-in-the-wrong-state.t    RFC 1939 section 3: -ERR, and the session goes on
account alice INBOX plain.eml
config limits.bad_commands = 1000
config pop3.last = yes
C: STAT
S: -ERR not now
C: LIST
S: -ERR not now
C: UIDL
S: -ERR not now
C: RETR 1
S: -ERR not now
C: TOP 1 0
S: -ERR not now
C: DELE 1
S: -ERR not now
C: NOOP
S: -ERR not now
C: RSET
S: -ERR not now
C: LAST
S: -ERR not now
C: PASS secret
S: -ERR send USER first
C: USER alice
S: +OK *
C: STAT
S: -ERR not now
C: PASS secret
S: +OK *
C: USER alice
S: -ERR not now
C: PASS secret
S: -ERR not now
C: APOP alice c4c9334bac560ecc979e58001b3e22fb
S: -ERR not now
C: AUTH
S: -ERR not now
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: -ERR not now
C: STLS
S: -ERR not now
C: UTF8
S: -ERR not now
C: STAT
S: +OK 1 424
C: QUIT
S: +OK *
eof
