# idle-hears-of-a-pop3-dele.t    RFC 2177 section 3, RFC 1939 section 6: one mailbox, two protocols
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b IDLE
S: + *
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: DELE 1
S2: +OK *
C2: QUIT
S2: +OK *
S: *...
S: * 1 EXPUNGE
C: DONE
S: *...
S: b OK *
C: c FETCH 1 UID
S: * 1 FETCH (UID 2)
S: c OK *
