# list-with-status.t    RFC 5819 section 2: STATUS behind each name that can be selected
account alice INBOX plain.eml
C: a LOGIN alice secret
S: a OK *
C: b CREATE x/y
S: b OK *
C: b2 DELETE x
S: b2 OK *
C: c LIST "" (INBOX x*) RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)
S: * LIST (\HasNoChildren) "/" "INBOX"
S: * STATUS "INBOX" (MESSAGES 1 UNSEEN 1)
S: * LIST (\Noselect \HasChildren) "/" "x"
S: * LIST (\HasNoChildren) "/" "x/y"
S: * STATUS "x/y" (MESSAGES 0 UNSEEN 0)
S: c OK *
C: d LIST "" % RETURN (STATUS)
S: d BAD *
C: e LIST "" % RETURN (STATUS ())
S: e BAD *
