# subscribe-and-unsubscribe.t    RFC 3501 sections 6.3.6 and 6.3.7
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CREATE a
S: b OK *
C: c LSUB "" a
S: c OK *
C: d SUBSCRIBE a
S: d OK *
C: e SUBSCRIBE a
S: e OK *
C: f LSUB "" a
S: * LSUB (\HasNoChildren) "/" "a"
S: f OK *
C: g UNSUBSCRIBE a
S: g OK *
C: h LSUB "" a
S: h OK *
C: i SUBSCRIBE
S: i BAD *
