# login-refuses-a-wrong-password.t    RFC 3501 section 6.2.3, RFC 5530 section 3: [AUTHENTICATIONFAILED]
account alice
C: a LOGIN alice wrong
S: a NO [AUTHENTICATIONFAILED] *
C: b LOGIN nobody-of-that-name secret
S: b NO [AUTHENTICATIONFAILED] *
C: c LOGIN "alice" {"secret"}
S: c OK *
C: d LOGIN alice secret
S: d *
