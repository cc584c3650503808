# starttls-drops-what-came-with-it.t    RFC 3501 section 6.2.1: what was said behind STARTTLS in plaintext is not run inside TLS
account alice
pipelined no: the point is what is in one write
bytewise no: the point is what is in one write
C~: a STARTTLS\x0d\x0ab LOGIN alice secret\x0d\x0ac DELETE Trash\x0d\x0ad {20+}\x0d\x0a
S: a OK *
starttls
C: e NOOP
S: e OK *
C: f LIST "" *
S: f BAD *
C: g LOGIN alice secret
S: g OK *
C: h LIST "" Trash
S: * LIST (*
S: h OK *
