# rename-takes-children-along.t    RFC 3501 section 6.3.5
account alice a/b plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b RENAME a x/y
S: b OK *
C: c LIST "" *y*
S: * LIST (\HasChildren) "/" "x/y"
S: * LIST (\HasNoChildren) "/" "x/y/b"
S: c OK *
C: d STATUS x/y/b (MESSAGES)
S: * STATUS "x/y/b" (MESSAGES 1)
S: d OK *
C: e RENAME nowhere z
S: e NO [NONEXISTENT] *
C: f RENAME x Sent
S: f NO [ALREADYEXISTS] *
C: g RENAME x x/y/z
S: g NO *
C: h RENAME x
S: h BAD *
