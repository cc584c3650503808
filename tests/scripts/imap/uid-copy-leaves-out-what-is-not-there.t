# uid-copy-leaves-out-what-is-not-there.t    RFC 3501 section 6.4.8, RFC 4315 section 3
account alice INBOX plain.eml dot-lines.eml
C: a1 LOGIN alice secret
S: a1 OK *
C: a2 SELECT INBOX
S: *...
S: a2 OK [READ-WRITE] *
C: b UID COPY 2:99 Archive
S: b OK [COPYUID $(_) 2 1] *
C: c UID COPY 99 Archive
S: c OK *
S! COPYUID
C: d UID COPY 0 Archive
S: d BAD *
C: e UID COPY 1 nowhere
S: e NO [TRYCREATE] *
