# stls-drops-what-came-with-it.t    RFC 2595 section 4: what was said behind STLS in plaintext is not run inside TLS
account alice INBOX plain.eml
pipelined no: the point is what is in one write
bytewise no: the point is what is in one write
C~: STLS\x0d\x0aUSER alice\x0d\x0aPASS secret\x0d\x0aDELE 1\x0d\x0aQUIT\x0d\x0a
S: +OK begin TLS negotiation
starttls
C: NOOP
S: -ERR not now
C: PASS secret
S: -ERR send USER first
C: CAPA
S: +OK *
S: *...
S: .
S! STLS
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: STAT
S: +OK 1 424
