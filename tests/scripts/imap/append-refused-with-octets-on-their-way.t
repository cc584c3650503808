# append-refused-with-octets-on-their-way.t    RFC 7888 section 4: they are dropped, the session stays in step
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND nowhere {plain.eml+}
S: b NO [TRYCREATE] *
C: c APPEND INBOX (\Wrong) {plain.eml+}
S: c BAD *
C: e APPEND INBOX {"a\x00b"+}
S: e BAD *
C: f APPEND INBOX {plain.eml+} more
S: f BAD *
C: g APPEND INBOX {plain.eml+} {"x LOGOUT\r\n"+}
S: g BAD *
C: h XYZZY {"i NOOP\r\n"+}
S: h BAD *
C: i STATUS INBOX (MESSAGES)
S: * STATUS "INBOX" (MESSAGES 0)
S: i OK *
