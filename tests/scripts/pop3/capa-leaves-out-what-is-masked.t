# capa-leaves-out-what-is-masked.t    capabilities_off of a listener and of [pop3]
config listen pop3.capabilities_off = TOP, pipelining
config pop3.capabilities_off = UIDL
C: CAPA
S: +OK *
S: USER
S: SASL PLAIN LOGIN
S: STLS
S: RESP-CODES
S: AUTH-RESP-CODE
S: UTF8
S: LANG
S: EXPIRE NEVER
S: IMPLEMENTATION Tandem
S: .
