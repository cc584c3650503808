# lhlo-lists-extensions.t    RFC 2033 section 5: PIPELINING and ENHANCEDSTATUSCODES are required
C: HELO client.example.net
S: 500 *
C: EHLO client.example.net
S: 500 *
C: LHLO client.example.net
S: 250-mail.example.org*
S: *...
S: 250-PIPELINING
S: *...
S: 250-SIZE 52428800
S: *...
S: 250 *
