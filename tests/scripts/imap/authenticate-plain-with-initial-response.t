# authenticate-plain-with-initial-response.t    RFC 4959 section 3, RFC 4616
account alice
C: a CAPABILITY
S: * CAPABILITY *
S: a OK *
C: b AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: b OK [CAPABILITY *
C: c AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: c BAD *
C: d CAPABILITY
S: * CAPABILITY *
S: d OK *
S! AUTH=
