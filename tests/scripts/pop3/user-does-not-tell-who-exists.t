# user-does-not-tell-who-exists.t    RFC 1939 section 7; the same answer for every name
account alice
C: USER alice
S: +OK send PASS
C: USER nobody-of-that-name
S: +OK send PASS
C: QUIT
S: +OK *
eof
