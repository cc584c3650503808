# auth-login-asks-twice.t    draft-murchison-sasl-login-00: a name, then a password
account alice
C: AUTH LOGIN
S: + VXNlcm5hbWU6
C: YWxpY2U=
S: + UGFzc3dvcmQ6
C: c2VjcmV0
S: +OK maildrop locked and ready
C: QUIT
S: +OK *
eof
