# top-counts-lines-of-the-body.t    RFC 1939 section 7: lines are counted behind the blank line
account alice INBOX plain.eml no-final-newline.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: TOP 1 1
S: +OK *
S: From: Anna Berger <anna@example.org>
S: *...
S: Content-Type: text/plain; charset=us-ascii
S: 
S: Hello Alice,
S: .
C: TOP 2 1
S: +OK *
S: *...
S: There in ten minutes
S: .
C: TOP 1 4294967295
S: +OK *
S: <<.plain.eml>>
S: .
