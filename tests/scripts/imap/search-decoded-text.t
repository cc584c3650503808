# search-decoded-text.t    RFC 3501 section 6.4.4, RFC 5051: text is decoded and compared without case
account alice INBOX subject-vietnamese.eml quoted-printable.eml forwarded.eml latin1-8bit.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK *
C: c SEARCH CHARSET UTF-8 SUBJECT {"ĐƠN HÀNG"}
S: * SEARCH 1
S: c OK *
C: d SEARCH CHARSET utf-8 BODY {"TRÀ SEN"+}
S: * SEARCH 1
S: d OK *
C: e SEARCH FROM "carol" SUBJECT "minutes"
S: * SEARCH 3
S: e OK *
C: f SEARCH BODY "because nobody wants"
S: * SEARCH 2
S: f OK *
C: g SEARCH TEXT "the secretary"
S: * SEARCH 3
S: g OK *
C: h SEARCH BODY "roof: TWO"
S: * SEARCH 3
S: h OK *
C: i SEARCH HEADER User-Agent mutt
S: * SEARCH 3
S: i OK *
C: j SEARCH HEADER User-Agent ""
S: * SEARCH 3
S: j OK *
C: k SEARCH CHARSET ISO-8859-1 SUBJECT {"caf\xe9"}
S: * SEARCH 4
S: k OK *
C: l SEARCH CHARSET X-NONSENSE SUBJECT "a"
S: l NO [BADCHARSET *
C: m SEARCH SENTON 13-Nov-2026
S: * SEARCH 1
S: m OK *
C: n SEARCH SENTSINCE 19-Nov-2026
S: * SEARCH 2 4
S: n OK *
C: o SEARCH BODY "for your eyes only"
S: * SEARCH
S: o OK *
C: p SEARCH TEXT "alice" NOT BODY "budget" NOT SUBJECT "order"
S: * SEARCH 1 4
S: p OK *
