# search-flags-sizes-and-sets.t    RFC 3501 section 6.4.4
account alice INBOX plain.eml plain.eml plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK *
C: c SEARCH ALL
S: * SEARCH 1 2 3
S: c OK *
C: d STORE 2 +FLAGS.SILENT (\Flagged $Work)
S: *...
S: d OK *
C: e SEARCH FLAGGED
S: * SEARCH 2
S: e OK *
C: f SEARCH NOT FLAGGED 2:*
S: * SEARCH 3
S: f OK *
C: g UID SEARCH OR UID 1 (KEYWORD $work UNSEEN)
S: * SEARCH 1 2
S: g OK *
C: h SEARCH LARGER 1000000
S: * SEARCH
S: h OK *
C: i SEARCH SMALLER 1000000 NOT (OR 1 2)
S: * SEARCH 3
S: i OK *
C: j SEARCH NEW UNKEYWORD $Work
S: * SEARCH 1 3
S: j OK *
C: k SEARCH 9
S: k BAD *
C: l SEARCH
S: l BAD *
C: m SEARCH NONSENSE
S: m BAD *
C: n SEARCH (ALL
S: n BAD *
C: o SEARCH OR ALL
S: o BAD *
C: p SEARCH SINCE 31-Feb-2020
S: p BAD *
C: q SEARCH SINCE 1-Jan-2020 BEFORE 1-Jan-2100
S: * SEARCH 1 2 3
S: q OK *
C: r SEARCH SINCE "1-Jan-2100"
S: * SEARCH
S: r OK *
C: s NOOP
S: s OK *
