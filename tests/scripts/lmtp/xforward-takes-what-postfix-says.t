# xforward-takes-what-postfix-says.t    Postfix, XFORWARD_README: xtext values, several attributes a command
account alice
C: XFORWARD IDENT=4Q1
S: 503 5.5.1 *
C: LHLO client.example.net
S: 250-mail.example.org
S: *...
S: 250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE
S: *...
S: 250 *
C: XFORWARD NAME=spike.example.net ADDR=192.0.2.1 PORT=4711 PROTO=ESMTP
S: 250 2.0.0 *
C: xforward helo=spike+2Eexample.net ident=4Q1xyz source=REMOTE
S: 250 2.0.0 *
C: XFORWARD ADDR=IPv6:2001:db8::1 NAME=[UNAVAILABLE] PORT=[UNAVAILABLE]
S: 250 2.0.0 *
C: MAIL FROM:<a@example.net>
S: 250 *
C: XFORWARD IDENT=4Q2
S: 503 5.5.1 *
C: RCPT TO:<alice@example.org>
S: 250 *
C: DATA
S: 354 *
C: .
S: 250 *
