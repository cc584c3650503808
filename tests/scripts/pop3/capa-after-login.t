# capa-after-login.t    RFC 2449 section 5: what is announced before login is announced after it
account alice
C: CAPA
S: +OK *
S: TOP
S: UIDL
S: USER
S: SASL PLAIN LOGIN
S: STLS
S: PIPELINING
S: RESP-CODES
S: AUTH-RESP-CODE
S: UTF8
S: LANG
S: EXPIRE NEVER
S: IMPLEMENTATION Tandem
S: .
C: USER alice
S: +OK *
C: PASS secret
S: +OK maildrop locked and ready
C: CAPA
S: +OK *
S: TOP
S: UIDL
S: USER
S: SASL PLAIN LOGIN
S: STLS
S: PIPELINING
S: RESP-CODES
S: AUTH-RESP-CODE
S: UTF8
S: LANG
S: EXPIRE NEVER
S: IMPLEMENTATION Tandem
S: .
