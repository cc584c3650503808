# authenticate-scram-needs-no-tls.t    RFC 5802 section 6, RFC 4422 section 5: the password stays at home
account alice
config auth.plaintext_auth = never
config auth.mechanisms = plain, scram-sha-256, scram-sha-256-plus
config auth.delay = 0s..0s
C: a CAPABILITY
S: * CAPABILITY *
S: a OK *
S! AUTH=PLAIN
S! 256-PLUS
C: b AUTHENTICATE SCRAM-SHA-256-PLUS
S: b NO [PRIVACYREQUIRED] *
# n,,n=alice,r=abc is answered with a salt whatever alice has; the rest proves nothing
C: c AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==
S: + *
C: *
S: c BAD *
C: d AUTHENTICATE SCRAM-SHA-256
S: + 
C: biwsbj1hbGljZSxyPWFiYw==
S: + *
C: Yz1iaXdzLHI9YWJjLHA9QUFBQQ==
S: d NO [AUTHENTICATIONFAILED] *
C: e AUTHENTICATE SCRAM-SHA-256 =
S: e BAD *
C: f AUTHENTICATE SCRAM-SHA-256 bm90aGluZw==
S: f BAD *
C: g AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==
S: + *
C: not base64
S: g BAD *
C: h STARTTLS
S: h OK *
starttls
C: i CAPABILITY
S: * CAPABILITY *
S: i OK *
# "y": I could bind, but you cannot
C: j AUTHENTICATE SCRAM-SHA-256 eSwsbj1hbGljZSxyPWFiYw==
S: j NO [AUTHENTICATIONFAILED] *
