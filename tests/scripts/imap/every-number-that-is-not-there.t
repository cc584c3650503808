# every-number-that-is-not-there.t    RFC 3501 sections 6.4.8 and 9: sequence numbers beyond the end are
# BAD, also `*` of an empty mailbox; UIDs that are not there are passed over. 32 bits, nz-number
account alice INBOX plain.eml
config limits.bad_commands = 1000
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK [READ-WRITE] *
C: t220 FETCH 2 FLAGS
S: t220 BAD *
C: t221 FETCH 1:2 FLAGS
S: t221 BAD *
C: t222 FETCH 1,9 FLAGS
S: t222 BAD *
C: t223 STORE 2 FLAGS ()
S: t223 BAD *
C: t224 COPY 2 Archive
S: t224 BAD *
C: t225 MOVE 2 Archive
S: t225 BAD *
C: t226 SEARCH 2
S: t226 BAD *
C: t227 SEARCH NOT 1:9
S: t227 BAD *
C: t228 FETCH 0 FLAGS
S: t228 BAD *
C: t229 UID FETCH 0 FLAGS
S: t229 BAD *
C: t230 UID STORE 1:0 FLAGS ()
S: t230 BAD *
C: t231 UID EXPUNGE *:0
S: t231 BAD *
C: t232 FETCH 4294967296 FLAGS
S: t232 BAD *
C: t233 UID FETCH 99999999999999999999 FLAGS
S: t233 BAD *
C: t234 FETCH -1 FLAGS
S: t234 BAD *
C: t235 FETCH 1, FLAGS
S: t235 BAD *
C: t236 FETCH :1 FLAGS
S: t236 BAD *
C: t237 FETCH 1:2:3 FLAGS
S: t237 BAD *
C: t238 FETCH 1;2 FLAGS
S: t238 BAD *
C: t239 UID FETCH 2:9 FLAGS
S: t239 OK *
C: t240 UID STORE 2 FLAGS ()
S: t240 OK *
C: t241 UID COPY 2 Archive
S: t241 OK *
C: t242 UID MOVE 2 Archive
S: t242 OK *
C: t243 UID EXPUNGE 2
S: t243 OK *
C: t244 UID FETCH 9:* UID
S: * 1 FETCH (UID 1)
S: t244 OK *
C: t245 FETCH *:* UID
S: * 1 FETCH (UID 1)
S: t245 OK *
C: t246 UID SEARCH UID 2,4294967295
S: * SEARCH
S: t246 OK *
C: y SELECT Drafts
S: *...
S: y OK *
C: t247 FETCH * FLAGS
S: t247 BAD *
C: t248 FETCH 1:* FLAGS
S: t248 BAD *
C: t249 UID FETCH 1:* FLAGS
S: t249 OK *
