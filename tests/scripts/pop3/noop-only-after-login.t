# noop-only-after-login.t    RFC 1939 section 5
account alice
C: NOOP
S: -ERR *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: NOOP
S: +OK *
C: noop
S: +OK *
C: NOOP please
S: -ERR *
