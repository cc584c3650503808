# auth-scram-needs-no-tls.t    RFC 5034 section 4, RFC 5802 section 6: the password stays at home
account alice
config auth.plaintext_auth = never
config auth.mechanisms = plain, scram-sha-256, scram-sha-256-plus
config auth.delay = 0s..0s
C: CAPA
S: +OK *
S: *...
S: SASL SCRAM-SHA-256
S: *...
S: .
C: AUTH SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==
S: + *
C: *
S: -ERR *
C: AUTH SCRAM-SHA-256
S: + 
C: biwsbj1ub2JvZHkscj1hYmM=
S: + *
C: Yz1iaXdzLHI9YWJjLHA9QUFBQQ==
S: -ERR [AUTH] *
C: STLS
S: +OK *
starttls
C: AUTH
S: +OK *
S: SCRAM-SHA-256-PLUS
S: SCRAM-SHA-256
S: PLAIN
S: .
