# authenticate-asks-and-is-answered.t    RFC 3501 section 6.2.2
account alice
C: a AUTHENTICATE plain
S: +*
C: AGFsaWNlAHNlY3JldA==
S: a OK *
C: b NOOP
S: b OK *
