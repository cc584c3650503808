# closed-in-auth-is-no-login.t    RFC 5034 section 4: an answer without its line end is none
account alice INBOX plain.eml
C: AUTH PLAIN
S: + 
C~: AGFsaWNlAHNlY3JldA==
close
wait 100ms
connect pop3 C2
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: STAT
S2: +OK 1 424
