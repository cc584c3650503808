# login-only-once.t    RFC 3501 sections 3 and 6.2.3: states
account alice
C: a SELECT INBOX
S: a BAD *
C: b LOGIN alice
S: b BAD *
C: c LOGIN alice secret more
S: c BAD *
C: d LOGIN "al\\ice" secret
S: d NO [AUTHENTICATIONFAILED] *
C: e LOGIN "alice@EXAMPLE.org" secret
S: e OK [CAPABILITY IMAP4rev1 *
C: f LOGIN alice secret
S: f BAD *
C: g STARTTLS
S: g BAD *
