# capa-hides-user-without-tls.t    RFC 2595 section 2.2; [auth] plaintext_auth = never
account alice
config auth.plaintext_auth = never
C: CAPA
S: +OK *
S: *...
S: .
S! USER
C: USER alice
S: -ERR *
connect pop3s C2
C2: CAPA
S2: +OK *
S2: *...
S2: USER
S2: *...
S2: .
S2! STLS
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
