# auth-asks-and-is-answered.t    RFC 5034 section 4, RFC 4616: an empty challenge, then the response
account alice
C: auth plain
S: + 
C: AGFsaWNlAHNlY3JldA==
S: +OK maildrop locked and ready
C: QUIT
S: +OK *
eof
