# every-name-that-cannot-be.t    RFC 3501 section 5.1: empty components, controls, wildcards, blanks at
# an end, too long, too deep, modified UTF-7 that does not round-trip; NO [CANNOT] (RFC 5530)
account alice INBOX plain.eml
C: a LOGIN alice secret
S: a OK *
C: t176 CREATE a//b
S: t176 NO [CANNOT] *
C: t177 CREATE /a
S: t177 NO [CANNOT] *
C: t178 CREATE "a%b"
S: t178 NO [CANNOT] *
C: t179 CREATE "a*b"
S: t179 NO [CANNOT] *
C: t180 CREATE "a "
S: t180 NO [CANNOT] *
C: t181 CREATE " a"
S: t181 NO [CANNOT] *
C: t182 CREATE ""
S: t182 NO [CANNOT] *
C: t183 CREATE &AGE-
S: t183 NO [CANNOT] *
C: t184 CREATE a&
S: t184 NO [CANNOT] *
C: t185 CREATE &
S: t185 NO [CANNOT] *
C: t186 CREATE Other&
S: t186 NO [CANNOT] *
C: t187 CREATE Shared/x
S: t187 NO [CANNOT] *
C: t188 CREATE {"caf\xc3\xa9"+}
S: t188 NO [CANNOT] *
C: t189 CREATE {"a\x01b"+}
S: t189 NO [CANNOT] *
C: t190 CREATE "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
S: t190 NO [CANNOT] *
C: t191 CREATE "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy/yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
S: t191 NO [CANNOT] *
C: t192 CREATE "z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z/z"
S: t192 NO [CANNOT] *
C: b SELECT INBOX
S: *...
S: b OK [READ-WRITE] *
C: t193 APPEND a//b {"x\r\n"+}
S: t193 NO [CANNOT] *
C: t194 COPY 1 a//b
S: t194 NO [CANNOT] *
C: t195 DELETE a//b
S: t195 NO [CANNOT] *
C: t196 EXAMINE a//b
S: t196 NO [CANNOT] *
C: b2 SELECT INBOX
S: *...
S: b2 OK [READ-WRITE] *
C: t197 MOVE 1 a//b
S: t197 NO [CANNOT] *
C: t198 RENAME a//b x
S: t198 NO [CANNOT] *
C: t199 RENAME Archive a//b
S: t199 NO [CANNOT] *
C: t200 STATUS a//b (MESSAGES)
S: t200 NO [CANNOT] *
C: t201 SUBSCRIBE a//b
S: t201 NO [CANNOT] *
C: t202 UNSUBSCRIBE a//b
S: t202 NO [CANNOT] *
C: t203 UID COPY 1 a//b
S: t203 NO [CANNOT] *
C: t204 UID MOVE 1 a//b
S: t204 NO [CANNOT] *
C: t205 SELECT a//b
S: t205 NO [CANNOT] *
