# authenticate-needs-tls-when-configured.t    RFC 3501 section 6.2.2, RFC 5530 section 3: [PRIVACYREQUIRED]
account alice
config auth.plaintext_auth = never
C: a CAPABILITY
S: * CAPABILITY *
S: a OK *
S! AUTH=
C: b AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: b NO [PRIVACYREQUIRED] *
C: c STARTTLS
S: c OK *
starttls
C: d AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: d OK *
