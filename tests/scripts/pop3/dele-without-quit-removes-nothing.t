# dele-without-quit-removes-nothing.t    RFC 1939 section 6: no UPDATE unless the client says QUIT
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C~: QUIT
close
wait 100ms
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK maildrop locked and ready
C2: STAT
S2: +OK 2 679
