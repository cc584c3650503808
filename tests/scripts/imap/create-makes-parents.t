# create-makes-parents.t    RFC 3501 section 6.3.3: the names above, and a delimiter at the end
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CREATE a/b/c/
S: b OK *
C: c LIST "" a*
S: * LIST (\HasChildren) "/" "a"
S: * LIST (\HasChildren) "/" "a/b"
S: * LIST (\HasNoChildren) "/" "a/b/c"
S: c OK *
C: d CREATE "Entw&APw-rfe"
S: d OK *
C: e LIST "" E*
S: * LIST (\HasNoChildren) "/" "Entw&APw-rfe"
S: e OK *
