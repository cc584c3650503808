# create-refuses.t    RFC 3501 section 6.3.3: INBOX, what exists, and names that cannot be
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CREATE inbox
S: b NO [ALREADYEXISTS] *
C: c CREATE Sent
S: c NO [ALREADYEXISTS] *
C: d CREATE a//b
S: d NO [CANNOT] *
C: e CREATE "a%b"
S: e NO [CANNOT] *
C: f CREATE "&AGE-"
S: f NO [CANNOT] *
C: g CREATE {"caf\xc3\xa9"}
S: g NO [CANNOT] *
C: h CREATE ""
S: h NO [CANNOT] *
C: i CREATE
S: i BAD *
C: j CREATE a b
S: j BAD *
