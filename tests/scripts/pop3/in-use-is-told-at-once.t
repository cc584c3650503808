# in-use-is-told-at-once.t    RFC 2449 section 8.1.2; free again as soon as the first session has ended, in any way
account alice INBOX plain.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C2: USER alice
S2: +OK *
C2: PASS secret
S2: -ERR [IN-USE] *
C2: USER alice
S2: +OK *
C2: PASS wrong
S2: -ERR [AUTH] *
C: NOOP
S: +OK *
close
wait 100ms
C2: USER alice
S2: +OK *
C2: PASS secret
S2: +OK *
C2: QUIT
S2: +OK *
