# auth-only-with-tls-if-so-configured.t    RFC 2595 section 2.3: no password in the clear
config auth.plaintext_auth = never
account alice
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: -ERR *
C: CAPA
S: +OK *
S: *...
S: .
S! SASL
C: STLS
S: +OK *
starttls
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S: +OK maildrop locked and ready
C: QUIT
S: +OK *
eof
