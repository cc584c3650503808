# fetch-parts.t    RFC 3501 section 6.4.5: parts by number, with their headers; what is not there is NIL
account alice INBOX nested.eml plain.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 EXAMINE INBOX
S: *...
S: a2 OK [READ-ONLY] *
C: b FETCH 1 (BODY[1.1] BODY[1.1.MIME])
S: * 1 FETCH (BODY[1.1] {"The offer is attached. Gi\xc3\xa1 \xc4\x91\xc3\xa3 g\xe1\xbb\x93m thu\xe1\xba\xbf.\r\n"} BODY[1.1.MIME] {"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-Language: en, vi\r\n\r\n"})
S: b OK *
C: c FETCH 1 (BODY.PEEK[1.2.1]<3.9> BODY.PEEK[1.2.2]<4.5> BODY.PEEK[2]<0.8>)
S: * 1 FETCH (BODY[1.2.1]<3> {"The offer"} BODY[1.2.2]<4> {"Rw0KG"} BODY[2]<0> {"JVBERi0x"})
S: c OK *
C: d FETCH 1 (BODY.PEEK[1.2.3] BODY.PEEK[3]<5.5> BODY.PEEK[1.HEADER] BODY.PEEK[1.2.1.TEXT] BODY.PEEK[1.1.1])
S: * 1 FETCH (BODY[1.2.3] NIL BODY[3]<5> NIL BODY[1.HEADER] NIL BODY[1.2.1.TEXT] NIL BODY[1.1.1] NIL)
S: d OK *
C: e FETCH 2 (BODY[1]<0.12> BODY[1.MIME]<0.17> BODY[1]<9999.2> BODY[2] BODY[1.1])
S: * 2 FETCH (BODY[1]<0> {"Hello Alice,"} BODY[1.MIME]<0> {"From: Anna Berger"} BODY[1]<9999> "" BODY[2] NIL BODY[1.1] NIL)
S: e OK *
C: f FETCH 1:2 BODY.PEEK[2.MIME]<9.10>
S: * 1 FETCH (BODY[2.MIME]<9> {"ype: appli"})
S: * 2 FETCH (BODY[2.MIME]<9> NIL)
S: f OK *
C: g FETCH 1 BODY[MIME]
S: g BAD *
C: h FETCH 1 BODY[1.]
S: h BAD *
C: i FETCH 1 BODY[0]
S: i BAD *
C: j FETCH 1 BODY[1.TEXT.1]
S: j BAD *
C: k FETCH 1 BODY.PEEK
S: k BAD *
C: l FETCH 1 BODY[1TEXT]
S: l BAD *
