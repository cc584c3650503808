# uid-search-tells-uids.t    RFC 3501 section 6.4.8: numbers of the answer are UIDs
account alice INBOX plain.eml plain.eml plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK *
C: c STORE 1 +FLAGS.SILENT (\Deleted)
S: c OK *
C: d EXPUNGE
S: * 1 EXPUNGE
S: *...
S: d OK *
C: e SEARCH ALL
S: * SEARCH 1 2
S: e OK *
C: f UID SEARCH ALL
S: * SEARCH 2 3
S: f OK *
C: g UID SEARCH 2
S: * SEARCH 3
S: g OK *
C: h UID SEARCH UID 1:2
S: * SEARCH 2
S: h OK *
C: i UID SEARCH UID 99
S: * SEARCH
S: i OK *
