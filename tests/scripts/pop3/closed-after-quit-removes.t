# closed-after-quit-removes.t    RFC 1939 section 6: QUIT was said, whether or not its answer is waited for
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: DELE 1
S: +OK *
C: QUIT
close
wait 100ms
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: STAT
S2: +OK 1 255
