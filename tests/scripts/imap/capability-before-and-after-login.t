# capability-before-and-after-login.t    RFC 3501 section 6.1.1
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CAPABILITY
S: * CAPABILITY *
S: b OK *
S! STARTTLS
S! LOGINDISABLED
C2: c CAPABILITY
S2: * CAPABILITY IMAP4rev1 *
S2: c OK *
S2! LOGINDISABLED
C2: d CAPABILITY x
S2: d BAD *
