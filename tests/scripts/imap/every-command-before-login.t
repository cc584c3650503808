# every-command-before-login.t    RFC 3501 section 3.1: what needs a login is BAD before it
account alice INBOX plain.eml
config limits.bad_commands = 1000
C: t1 APPEND INBOX {"x\r\n"+}
S: t1 BAD *
C: t2 CHECK
S: t2 BAD *
C: t3 CLOSE
S: t3 BAD *
C: t4 COPY 1 Archive
S: t4 BAD *
C: t5 CREATE new
S: t5 BAD *
C: t6 DELETE new
S: t6 BAD *
C: t7 ENABLE X-GOOD
S: t7 BAD *
C: t8 EXAMINE INBOX
S: t8 BAD *
C: t9 EXPUNGE
S: t9 BAD *
C: t10 FETCH 1 FLAGS
S: t10 BAD *
C: t11 IDLE
S: t11 BAD *
C: t12 LIST "" "*"
S: t12 BAD *
C: t13 LSUB "" "*"
S: t13 BAD *
C: t14 MOVE 1 Archive
S: t14 BAD *
C: t15 NAMESPACE
S: t15 BAD *
C: t16 RENAME Archive new
S: t16 BAD *
C: t17 SEARCH ALL
S: t17 BAD *
C: t18 SELECT INBOX
S: t18 BAD *
C: t19 STATUS INBOX (MESSAGES)
S: t19 BAD *
C: t20 STORE 1 FLAGS (\Seen)
S: t20 BAD *
C: t21 SUBSCRIBE INBOX
S: t21 BAD *
C: t22 UID COPY 1 Archive
S: t22 BAD *
C: t23 UID EXPUNGE 1
S: t23 BAD *
C: t24 UID FETCH 1 FLAGS
S: t24 BAD *
C: t25 UID MOVE 1 Archive
S: t25 BAD *
C: t26 UID SEARCH ALL
S: t26 BAD *
C: t27 UID STORE 1 FLAGS (\Seen)
S: t27 BAD *
C: t28 UNSELECT
S: t28 BAD *
C: t29 UNSUBSCRIBE INBOX
S: t29 BAD *
C: t30 NOOP
S: t30 OK *
