# append-limit-is-told.t    RFC 7889 sections 2, 3: the number after login and by STATUS, held by APPEND
account alice
config store.message_size = 64k
C: a LOGIN alice secret
S: a OK [CAPABILITY *
C: b STATUS INBOX (APPENDLIMIT MESSAGES)
S: * STATUS "INBOX" (MESSAGES 0 APPENDLIMIT 65536)
S: b OK *
C: c APPEND INBOX {65537}
S: c NO [TOOBIG] *
