# login-once-too-often.t    RFC 5530 section 3: sessions of one account have a limit
account alice
config limits.per_user = 1
C: a LOGIN alice secret
S: a OK *
C2: a LOGIN alice secret
S2: a NO [LIMIT] *
C: b LOGOUT
S: * BYE *
S: b OK *
eof
C2: c LOGIN alice secret
S2: c OK *
