# login-needs-tls-when-configured.t    RFC 3501 section 6.2.3: LOGINDISABLED; RFC 5530 section 3: [PRIVACYREQUIRED]
account alice
config auth.plaintext_auth = never
C: a CAPABILITY
S: * CAPABILITY *
S: a OK *
C: b LOGIN alice secret
S: b NO [PRIVACYREQUIRED] *
C: c LOGIN alice wrong
S: c NO [PRIVACYREQUIRED] *
C: d STARTTLS
S: d OK *
starttls
C: e LOGIN alice secret
S: e OK *
