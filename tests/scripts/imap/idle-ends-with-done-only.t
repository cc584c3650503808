# idle-ends-with-done-only.t    RFC 2177 section 3: DONE in either case; anything else is BAD, once
account alice INBOX plain.eml
C: a IDLE
S: a BAD *
C: a1 LOGIN alice secret
S: a1 OK *
C: b IDLE
S: + *
C: done
S: b OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: c IDLE
S: + *
C: d NOOP
S: c BAD *
C: e IDLE
S: + *
C: DONE {5}
S: e BAD *
C: f IDLE x
S: f BAD *
C: g NOOP
S: g OK *
