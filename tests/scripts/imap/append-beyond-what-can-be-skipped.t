# append-beyond-what-can-be-skipped.t    RFC 7888 section 4: too much to read to no purpose
account alice
config store.message_size = 64k
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND INBOX {1048577+}
S: b NO [TOOBIG] *
S: * BYE *
eof
