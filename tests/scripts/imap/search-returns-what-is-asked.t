# search-returns-what-is-asked.t    RFC 4731 section 3.1
account alice INBOX plain.eml plain.eml plain.eml plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK *
C: c UID SEARCH RETURN (MIN MAX COUNT ALL) NOT 2
S: * ESEARCH (TAG "c") UID MIN 1 MAX 4 COUNT 3 ALL 1,3:4
S: c OK *
C: d SEARCH RETURN () ALL
S: * ESEARCH (TAG "d") ALL 1:4
S: d OK *
C: e SEARCH RETURN (MIN COUNT) DELETED
S: * ESEARCH (TAG "e") COUNT 0
S: e OK *
C: f SEARCH RETURN (NEAREST) ALL
S: f BAD *
