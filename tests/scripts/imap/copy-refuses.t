# copy-refuses.t    RFC 3501 section 6.4.7: [TRYCREATE]; numbers of no message
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b COPY 1 nowhere
S: b NO [TRYCREATE] *
C: c COPY 2 Archive
S: c BAD *
C: d COPY 1
S: d BAD *
C: e COPY 1 {5}
S: + *
C~: a/%/b
C:
S: e NO [CANNOT] *
C: f COPY 0 Archive
S: f BAD *
