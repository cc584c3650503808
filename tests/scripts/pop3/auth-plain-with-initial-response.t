# auth-plain-with-initial-response.t    RFC 5034 section 4: the response may come with the command
account alice
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: +OK maildrop locked and ready
C: STAT
S: +OK 0 0
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: -ERR *
C: QUIT
S: +OK *
eof
