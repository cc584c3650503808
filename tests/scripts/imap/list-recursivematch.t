# list-recursivematch.t    RFC 5258 sections 3.1, 3.5: parents of what matches, with CHILDINFO
account alice
C: a LOGIN alice secret
S: a OK *
C: b CREATE a/b/c
S: b OK *
C: b2 CREATE d
S: b2 OK *
C: c SUBSCRIBE a/b/c
S: c OK *
C: c1 CREATE gone/x
S: c1 OK *
C: c2 SUBSCRIBE gone/x
S: c2 OK *
C: c4 DELETE gone/x
S: c4 OK *
C: c5 DELETE gone
S: c5 OK *
C: c3 SUBSCRIBE d
S: c3 OK *
C: d LIST (SUBSCRIBED RECURSIVEMATCH) "" (a% d% g%)
S: * LIST (\HasChildren) "/" "a" ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasNoChildren \Subscribed) "/" "d"
S: * LIST (\NonExistent \HasNoChildren) "/" "gone" ("CHILDINFO" ("SUBSCRIBED"))
S: d OK *
C: e LIST (RECURSIVEMATCH SUBSCRIBED) "" a*
S: * LIST (\HasNoChildren \Subscribed) "/" "a/b/c"
S: e OK *
C: f SUBSCRIBE a
S: f OK *
C: g LIST (RECURSIVEMATCH SUBSCRIBED) "" a RETURN (STATUS (MESSAGES))
S: * LIST (\HasChildren \Subscribed) "/" "a" ("CHILDINFO" ("SUBSCRIBED"))
S: * STATUS "a" (MESSAGES 0)
S: g OK *
C: h LIST (RECURSIVEMATCH SUBSCRIBED) "" a/% RETURN (STATUS (MESSAGES))
S: * LIST (\HasChildren) "/" "a/b" ("CHILDINFO" ("SUBSCRIBED"))
S: h OK *
C: i LIST (RECURSIVEMATCH) "" *
S: i BAD *
C: j LIST (REMOTE RECURSIVEMATCH) "" *
S: j BAD *
