# utf8-before-login-only.t    RFC 6856 section 2.1: no STLS after it, messages are sent as they are
account alice INBOX plain.eml
C: UTF8 now
S: -ERR *
C: UTF8
S: +OK *
C: STLS
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: UTF8
S: -ERR *
C: RETR 1
S: +OK *
S: <<.plain.eml>>
S: .
