# every-command-in-a-deleted-mailbox.t    RFC 5530 section 3: NO [NONEXISTENT] once all its messages
# have been told to be expunged; leaving it is fine
account alice Archive plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT Archive
S: *...
S: b OK *
C2: a LOGIN alice secret
S2: a OK *
C2: b DELETE Archive
S2: b OK *
C: c NOOP
S: * 1 EXPUNGE
S: c OK *
C: t159 CHECK
S: t159 NO [NONEXISTENT] Mailbox was deleted
C: t160 COPY 1 INBOX
S: t160 NO [NONEXISTENT] Mailbox was deleted
C: t161 EXPUNGE
S: t161 NO [NONEXISTENT] Mailbox was deleted
C: t162 FETCH 1 FLAGS
S: t162 NO [NONEXISTENT] Mailbox was deleted
C: t163 MOVE 1 INBOX
S: t163 NO [NONEXISTENT] Mailbox was deleted
C: t164 SEARCH ALL
S: t164 NO [NONEXISTENT] Mailbox was deleted
C: t165 STORE 1 FLAGS ()
S: t165 NO [NONEXISTENT] Mailbox was deleted
C: t166 UID COPY 1 INBOX
S: t166 NO [NONEXISTENT] Mailbox was deleted
C: t167 UID EXPUNGE 1
S: t167 NO [NONEXISTENT] Mailbox was deleted
C: t168 UID FETCH 1 FLAGS
S: t168 NO [NONEXISTENT] Mailbox was deleted
C: t169 UID MOVE 1 INBOX
S: t169 NO [NONEXISTENT] Mailbox was deleted
C: t170 UID SEARCH ALL
S: t170 NO [NONEXISTENT] Mailbox was deleted
C: t171 UID STORE 1 FLAGS ()
S: t171 NO [NONEXISTENT] Mailbox was deleted
C: t172 STATUS Archive (MESSAGES)
S: t172 NO [NONEXISTENT] *
C: t173 NOOP
S: t173 OK *
C: t174 UNSELECT
S: t174 OK *
C: t175 FETCH 1 FLAGS
S: t175 BAD *
