# lang-lists-and-selects.t    RFC 6856 section 3.2, before and after login
account alice
C: LANG
S: +OK *
S: en English
S: i-default Default language
S: .
C: LANG MUL
S: -ERR *
C: LANG en
S: +OK en *
C: LANG EN-gb-oed
S: +OK en *
C: LANG englisch
S: -ERR *
C: LANG i-default
S: +OK i-default *
C: LANG \x2a
S: +OK en *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: LANG en
S: +OK en *
