# list-refuses-what-is-no-number.t    RFC 1939 section 5; digits only, below 2^32
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: LIST 4294967295
S: -ERR no such message
C: LIST 4294967296
S: -ERR *
C: LIST 4294967297
S: -ERR *
C: LIST -1
S: -ERR *
C: LIST +1
S: -ERR *
C: LIST 01
S: +OK 1 424
C: LIST  1
S: -ERR *
