# apop-refuses-a-wrong-digest.t    RFC 1939 section 7: like any wrong password, and so is an account without {PLAIN}
account alice
config pop3.apop = yes
config auth.delay = 0s..0s
S: +OK mail.example.org POP3 ready <*
C: APOP
S: -ERR *
C: APOP alice
S: -ERR *
C: APOP alice c4c9334bac560ecc979e58001b3e22fb
S: -ERR [AUTH] *
C: APOP alice xyz
S: -ERR [AUTH] *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
