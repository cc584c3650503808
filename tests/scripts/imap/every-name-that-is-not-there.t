# every-name-that-is-not-there.t    RFC 3501 section 7.1: a target that could be made is [TRYCREATE];
# RFC 5530 section 3: everything else is [NONEXISTENT], and what is there [ALREADYEXISTS]
account alice INBOX plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK [READ-WRITE] *
C: t206 APPEND no {"x\r\n"+}
S: t206 NO [TRYCREATE] *
C: t207 COPY 1 no
S: t207 NO [TRYCREATE] *
C: t208 MOVE 1 no
S: t208 NO [TRYCREATE] *
C: t209 UID COPY 1 no
S: t209 NO [TRYCREATE] *
C: t210 UID MOVE 1 no
S: t210 NO [TRYCREATE] *
C: t211 DELETE no
S: t211 NO [NONEXISTENT] *
C: t212 RENAME no other
S: t212 NO [NONEXISTENT] *
C: t213 STATUS no (MESSAGES)
S: t213 NO [NONEXISTENT] *
C: t214 SUBSCRIBE no
S: t214 NO [NONEXISTENT] *
C: t215 CREATE INBOX
S: t215 NO [ALREADYEXISTS] *
C: t216 CREATE sent
S: t216 OK *
C: t217 RENAME sent Archive
S: t217 NO [ALREADYEXISTS] *
C: t218 EXAMINE no
S: t218 NO [NONEXISTENT] *
C: t219 SELECT no
S: t219 NO [NONEXISTENT] *
