# closed-in-retr-removes-nothing.t    RFC 1939 section 6: a session that ends otherwise than by QUIT, with its line end, removes nothing
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C: RETR 2
S: +OK *
S: *...
S: .
C~: QUIT
close
wait 100ms
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: STAT
S2: +OK 2 679
