# retr-sends-8-bit-headers-as-they-are.t    RFC 6856 section 2.1: also to a client that did not ask, with the size that LIST told
account alice INBOX utf8-headers.eml latin1-8bit.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: LIST
S: +OK *
S: 1 392
S: 2 423
S: .
C: RETR 1
S: +OK message follows, 392 octets
S: <<.utf8-headers.eml>>
S: .
C: TOP 2 99
S: +OK *
S: <<.latin1-8bit.eml>>
S: .
