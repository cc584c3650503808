# append-answers-with-the-uid.t    RFC 4315 section 3: [APPENDUID], then the message is found under it
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b STATUS Drafts (UIDVALIDITY)
S: * STATUS "Drafts" (UIDVALIDITY $(validity))
S: b OK *
C: c APPEND Drafts (\Draft $Later) {plain.eml}
S: c OK [APPENDUID $(validity) 1] *
C: d EXAMINE Drafts
S: *...
S: d OK [READ-ONLY] *
C: e UID FETCH 1 (FLAGS RFC822.SIZE)
S: * 1 FETCH (UID 1 FLAGS (\Draft \Recent $Later) RFC822.SIZE 424)
S: e OK *
