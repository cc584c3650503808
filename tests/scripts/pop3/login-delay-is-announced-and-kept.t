# login-delay-is-announced-and-kept.t    RFC 2449 sections 6.5, 8.1.1: after a good password only; no USER as long as all accounts are alike
account alice
account bob
config pop3.login_delay = 600
config auth.delay = 0s..0s
C: CAPA
S: +OK *
S: *...
S: LOGIN-DELAY 600
S: *...
S: .
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: CAPA
S: +OK *
S: *...
S: LOGIN-DELAY 600
S: *...
S: .
C: QUIT
S: +OK *
eof
connect pop3
C: USER alice
S: +OK *
C: PASS wrong
S: -ERR [AUTH] *
C: USER alice
S: +OK *
C: PASS secret
S: -ERR [LOGIN-DELAY] *
C: USER bob
S: +OK *
C: PASS secret
S: +OK *
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
