# append-makes-line-ends-crlf.t    each LF without CR becomes CRLF; sizes are those of the result
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND INBOX {"Subject: x\n\nbody\n"}
S: b OK *
C: c SELECT INBOX
S: *...
S: c OK *
C: d FETCH 1 (RFC822.SIZE BODY.PEEK[])
S: * 1 FETCH (RFC822.SIZE 20 BODY[] {"Subject: x\r\n\r\nbody\r\n"})
S: d OK *
