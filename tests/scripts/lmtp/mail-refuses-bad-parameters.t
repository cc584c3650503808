# mail-refuses-bad-parameters.t    RFC 5321 section 4.1.1.11: 555; RFC 1870 section 4
account alice
C: LHLO client.example.net
S: *...
S: 250 *
C: MAIL FROM:<a@example.net> SIZE=-1
S: 501 5.5.4 *
C: MAIL FROM:<a@example.net> SIZE
S: 501 *
C: MAIL FROM:<a@example.net> SIZE=1 SIZE=2
S: 501 *
C: MAIL FROM:<a@example.net> BODY=BINARYMIME
S: 501 *
C: MAIL FROM:<a@example.net> RET=FULL
S: 555 5.5.4 *
C: MAIL FROM:<@relay.example.net:a@example.net>
S: 250 *
