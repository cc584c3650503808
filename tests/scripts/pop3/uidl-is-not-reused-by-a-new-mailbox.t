# uidl-is-not-reused-by-a-new-mailbox.t    RFC 1939 section 7: a unique-id is never reused, though UIDs begin at 1 again
account alice Work plain.eml
C: USER alice+Work
S: +OK *
C: PASS secret
S: +OK *
C: UIDL 1
S: +OK 1 $(first)
C: QUIT
S: +OK *
eof
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b DELETE Work
S2: b OK *
wait 1100ms
C2: c CREATE Work
S2: c OK *
C2: d APPEND Work {plain.eml+}
S2: d OK *
connect pop3
C: USER alice+Work
S: +OK *
C: PASS secret
S: +OK *
C: UIDL 1
S! $(first)
S: +OK 1 00000001*
C: QUIT
S: +OK *
