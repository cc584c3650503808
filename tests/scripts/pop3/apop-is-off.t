# apop-is-off.t    RFC 1939 section 7: without APOP no timestamp, which would make clients try it
account alice
S: +OK mail.example.org POP3 ready
C: APOP alice c4c9334bac560ecc979e58001b3e22fb
S: -ERR APOP is not available
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: APOP alice c4c9334bac560ecc979e58001b3e22fb
S: -ERR not now
