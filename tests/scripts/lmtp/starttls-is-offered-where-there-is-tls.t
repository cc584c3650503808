# starttls-is-offered-where-there-is-tls.t    RFC 3207 section 4
C: STARTTLS
S: 454 4.7.0 *
C: LHLO client.example.net
S: *...
S: 250 ENHANCEDSTATUSCODES
S! STARTTLS
