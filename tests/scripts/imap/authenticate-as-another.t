# authenticate-as-another.t    RFC 4616 section 2: an authorization identity other than one's own is
# NO [AUTHORIZATIONFAILED] (RFC 5530)
account alice
account bob
C: a AUTHENTICATE PLAIN Ym9iAGFsaWNlAHNlY3JldA==
S: a NO [AUTHORIZATIONFAILED] *
C: b AUTHENTICATE PLAIN YWxpY2UAYWxpY2UAc2VjcmV0
S: b OK *
