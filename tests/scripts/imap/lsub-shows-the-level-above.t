# lsub-shows-the-level-above.t    RFC 3501 section 6.3.9: % tells of what is above a subscribed name
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CREATE a/b
S: b OK *
C: c CREATE a/c
S: c OK *
C: d SUBSCRIBE a/b
S: d OK *
C: e SUBSCRIBE a/c
S: e OK *
C: f LSUB "" a/*
S: * LSUB (\HasNoChildren) "/" "a/b"
S: * LSUB (\HasNoChildren) "/" "a/c"
S: f OK *
C: g LSUB "" a%
S: * LSUB (\Noselect \HasChildren) "/" "a"
S: g OK *
C: h LSUB "" In*
S: * LSUB (\HasNoChildren) "/" "INBOX"
S: h OK *
C: i LSUB
S: i BAD *
