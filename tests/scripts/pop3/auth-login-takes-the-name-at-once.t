# auth-login-takes-the-name-at-once.t    what Outlook sends: the name as an initial response
account alice
C: AUTH LOGIN YWxpY2U=
S: + UGFzc3dvcmQ6
C: d3Jvbmc=
S: -ERR [AUTH] *
C: NOOP
S: -ERR *
C: QUIT
S: +OK *
eof
