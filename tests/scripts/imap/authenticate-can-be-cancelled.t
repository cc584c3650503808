# authenticate-can-be-cancelled.t    RFC 3501 section 6.2.2: "*" is BAD; what is malformed too, once
account alice
C: a AUTHENTICATE PLAIN
S: +*
C: *
S: a BAD *
C: b AUTHENTICATE PLAIN
S: +*
C: c NOOP
S: b BAD *
C: d AUTHENTICATE XYZZY
S: d NO *
C: e AUTHENTICATE PLAIN not*base64
S: e BAD *
C: f AUTHENTICATE PLAIN =
S: f BAD *
C: g AUTHENTICATE
S: g BAD *
C: h AUTHENTICATE PLAIN AGFsaWNlAHdyb25n
S: h NO [AUTHENTICATIONFAILED] *
C: i AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==
S: i OK *
