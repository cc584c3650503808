# uidl-is-the-imap-uid-and-uidvalidity.t    RFC 1939 section 7: eight hex digits each, as CONTRACTS of old servers have it
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: UIDL
S: +OK *
S: 1 00000001$(v)
S: 2 00000002$(v)
S: .
C: UIDL 2
S: +OK 2 00000002$(v)
C: UIDL 3
S: -ERR *
C: QUIT
S: +OK *
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: UIDL 1
S2: +OK 1 00000001$(v)
