# noop-takes-anything.t    RFC 5321 section 4.1.1.9
C: LHLO client.example.net
S: *...
S: 250 *
C: NOOP
S: 250 *
C: NOOP anything
S: 250 *
