# xforward-refuses-what-cannot-be.t    a value of the wrong shape, an attribute that nobody knows
C: LHLO client.example.net
S: *...
S: 250 *
C: XFORWARD
S: 501 5.5.4 *
C: XFORWARD IDENT
S: 501 5.5.4 *
C: XFORWARD COLOUR=red
S: 501 5.5.4 *
C: XFORWARD ADDR=192.0.2.256
S: 501 5.5.4 *
C: XFORWARD ADDR=IPv6:::g
S: 501 5.5.4 *
C: XFORWARD PORT=65536
S: 501 5.5.4 *
C: XFORWARD SOURCE=MARS
S: 501 5.5.4 *
C: XFORWARD HELO=a+4
S: 501 5.5.4 *
C: XFORWARD HELO=a+0Ab
S: 501 5.5.4 *
C: XFORWARD IDENT=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
S: 501 5.5.4 *
C: NOOP
S: 250 *
