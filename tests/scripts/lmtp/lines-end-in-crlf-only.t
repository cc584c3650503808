# lines-end-in-crlf-only.t    RFC 5321 section 2.3.8
C~: NOOP\x0aQUIT\x0d\x0a
S: 500 5.5.2 *
C: NOOP\x00
S: 500 *
C: NOOP
S: 250 *
