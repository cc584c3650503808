# append-refused-before-the-literal.t    RFC 3501 section 7.5: a tagged answer instead of the continuation
account alice
config store.message_size = 64k
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND nowhere {10}
S: b NO [TRYCREATE] *
C: c APPEND INBOX (\Recent) {10}
S: c BAD *
C: d APPEND INBOX (\Seen) "32-Jan-2026 00:00:00 +0000" {10}
S: d BAD *
C: e APPEND INBOX {65537}
S: e NO [TOOBIG] *
C: f APPEND INBOX {0}
S: f NO [CANNOT] *
C: g APPEND INBOX {4294967296}
S: g BAD *
C: h APPEND a&b {10}
S: h NO [CANNOT] *
C: i APPEND INBOX
S: i BAD *
C: j STATUS INBOX (MESSAGES)
S: * STATUS "INBOX" (MESSAGES 0)
S: j OK *
