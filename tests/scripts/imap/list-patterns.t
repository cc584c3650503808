# list-patterns.t    RFC 3501 section 6.3.8: reference, wildcards, INBOX in any case, the empty pattern
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CREATE a/b/c
S: b OK *
C: c LIST "" %
S: *...
S: * LIST (\HasChildren) "/" "a"
S: c OK *
S! a/b
C: d LIST a/ %
S: * LIST (\HasChildren) "/" "a/b"
S: d OK *
C: e LIST "" a/*
S: * LIST (\HasChildren) "/" "a/b"
S: * LIST (\HasNoChildren) "/" "a/b/c"
S: e OK *
C: f LIST "" ""
S: * LIST (\Noselect) "/" ""
S: f OK *
C: g LIST "" inbox
S: * LIST (\HasNoChildren) "/" "INBOX"
S: g OK *
C: h LIST "" %/%/%
S: * LIST (\HasNoChildren) "/" "a/b/c"
S: h OK *
C: i LIST "" nothing
S: i OK *
C: j LIST ""
S: j BAD *
C: k LIST "" "A"
S: k OK *
