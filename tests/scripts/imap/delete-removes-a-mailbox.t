# delete-removes-a-mailbox.t    RFC 3501 section 6.3.4: one with children stays as a name
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b CREATE a/b
S: b OK *
C: c DELETE a
S: c OK *
C: d LIST "" a*
S: * LIST (\Noselect \HasChildren) "/" "a"
S: * LIST (\HasNoChildren) "/" "a/b"
S: d OK *
C: e SELECT a
S: e NO [NONEXISTENT] *
C: f DELETE a
S: f NO [CANNOT] *
C: g DELETE a/b
S: g OK *
C: h LIST "" a*
S: h OK *
C: i DELETE a/b
S: i NO [NONEXISTENT] *
C: j DELETE INBOX
S: j NO [CANNOT] *
