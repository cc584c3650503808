# unsubscribe-outlives-the-mailbox.t    RFC 3501 section 6.3.6: a subscription is not removed by DELETE
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CREATE a
S: b OK *
C: c SUBSCRIBE a
S: c OK *
C: d DELETE a
S: d OK *
C: e LSUB "" a
S: * LSUB (\Noselect \HasNoChildren) "/" "a"
S: e OK *
C: f LIST "" a
S: f OK *
C: g UNSUBSCRIBE a
S: g OK *
C: h LSUB "" a
S: h OK *
C: i UNSUBSCRIBE
S: i BAD *
