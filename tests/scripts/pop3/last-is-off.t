# last-is-off.t    RFC 1939 knows no LAST
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: LAST
S: -ERR *
