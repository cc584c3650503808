# fetch-refuses-what-it-does-not-know.t    RFC 3501 section 9, fetch-att
account alice INBOX plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: b FETCH 1 FLAGS
S: b BAD *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: c FETCH 1 (FLAGS
S: c BAD *
C: d FETCH 1 ()
S: d BAD *
C: e FETCH 1 BODY[
S: e BAD *
C: f FETCH 1 BODY[]<0.0>
S: f BAD *
C: g FETCH 1 BODY[HEADER.FIELDS ()]
S: g BAD *
C: h FETCH 1 XYZZY
S: h BAD *
C: i FETCH 1  FLAGS
S: i BAD *
C: j FETCH 1,2 FLAGS
S: j BAD *
C: k FETCH 4294967296 FLAGS
S: k BAD *
C: l FETCH 1 XYZZY[{5}
S: l BAD *
C: m FETCH 1 FAST
S: * 1 FETCH (FLAGS (\Recent) INTERNALDATE *
S: m OK *
