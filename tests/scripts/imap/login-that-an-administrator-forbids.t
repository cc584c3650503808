# login-that-an-administrator-forbids.t    RFC 5530 section 3: [CONTACTADMIN], after the password only
account alice
config imap.enabled = no
C: a LOGIN alice wrong
S: a NO [AUTHENTICATIONFAILED] *
C: b LOGIN alice secret
S: b NO [CONTACTADMIN] *
C: c AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: c NO [CONTACTADMIN] *
