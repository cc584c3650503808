# every-command-with-nothing-selected.t    RFC 3501 section 3.2: what needs a mailbox, and what
# belongs before the login, is BAD there
account alice INBOX plain.eml
config limits.bad_commands = 1000
C: a LOGIN alice secret
S: a OK *
C: t31 AUTHENTICATE PLAIN
S: t31 BAD *
C: t32 CHECK
S: t32 BAD *
C: t33 CLOSE
S: t33 BAD *
C: t34 COPY 1 Archive
S: t34 BAD *
C: t35 EXPUNGE
S: t35 BAD *
C: t36 FETCH 1 FLAGS
S: t36 BAD *
C: t37 LOGIN alice secret
S: t37 BAD *
C: t38 MOVE 1 Archive
S: t38 BAD *
C: t39 SEARCH ALL
S: t39 BAD *
C: t40 STARTTLS
S: t40 BAD *
C: t41 STORE 1 FLAGS (\Seen)
S: t41 BAD *
C: t42 UID COPY 1 Archive
S: t42 BAD *
C: t43 UID EXPUNGE 1
S: t43 BAD *
C: t44 UID FETCH 1 FLAGS
S: t44 BAD *
C: t45 UID MOVE 1 Archive
S: t45 BAD *
C: t46 UID SEARCH ALL
S: t46 BAD *
C: t47 UID STORE 1 FLAGS (\Seen)
S: t47 BAD *
C: t48 UNSELECT
S: t48 BAD *
C: t49 NOOP
S: t49 OK *
