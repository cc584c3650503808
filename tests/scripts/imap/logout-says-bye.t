# logout-says-bye.t    RFC 3501 section 6.1.3
C: a LOGOUT
S: * BYE *
S: a OK *
eof
