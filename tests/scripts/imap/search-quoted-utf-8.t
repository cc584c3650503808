# search-quoted-utf-8.t    what RFC 3501 section 9 wants in a literal, clients quote; RFC 6855 section 3 made it lawful
account alice INBOX attachment-pdf.eml plain.eml
C: a LOGIN alice "s\xc3\xa9cret"
S: a NO [AUTHENTICATIONFAILED] *
C: b LOGIN alice secret
S: b OK *
C: c SELECT INBOX
S: *...
S: c OK *
C: d UID SEARCH CHARSET UTF-8 SUBJECT "f\xc3\xbcr"
S: * SEARCH 1
S: d OK *
C: e UID SEARCH CHARSET ISO-8859-1 SUBJECT "f\xfcr"
S: * SEARCH 1
S: e OK *
C: f CREATE "caf\xc3\xa9"
S: f NO [CANNOT] *
C: g SEARCH SUBJECT "f\x00r"
S: g BAD *
