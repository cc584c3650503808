# search-has-a-limit-of-keys.t    RFC 5530 section 3: too many keys are NO [LIMIT], too deep ones BAD
account alice INBOX plain.eml
config imap.search_keys = 8
config limits.depth = 4
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK *
C: c SEARCH NOT NOT (ALL ALL ALL) ALL ALL
S: * SEARCH 1
S: c OK *
C: d SEARCH ALL ALL ALL ALL ALL ALL ALL ALL ALL
S: d NO [LIMIT] *
C: e SEARCH ((((((((((((((((((((((((((((((((((((((((ALL))))))))))))))))))))))))))))))))))))))))
S: e BAD *
C: f SEARCH ((((ALL))))
S: * SEARCH 1
S: f OK *
C: g SEARCH (((NOT NOT ALL)))
S: g BAD *
