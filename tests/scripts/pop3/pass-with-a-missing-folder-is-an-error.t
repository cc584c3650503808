# pass-with-a-missing-folder-is-an-error.t    RFC 3206 section 3: [SYS/TEMP], never an empty maildrop
account alice INBOX plain.eml
C: USER alice+Nowhere
S: +OK *
C: PASS secret
S: -ERR [SYS/TEMP] *
C: STAT
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
