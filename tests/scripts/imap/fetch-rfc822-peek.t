# fetch-rfc822-peek.t    RFC 1730 section 6.4.5 had it, Outlook still says it: RFC822 without \Seen
account alice INBOX plain.eml
C: a LOGIN alice secret
S: a OK *
C: b SELECT INBOX
S: *...
S: b OK *
C: c UID fetch 1 (UID RFC822.SIZE RFC822.peek)
S: * 1 FETCH (UID 1 RFC822.SIZE 424 RFC822 {plain.eml})
S: c OK *
C: d FETCH 1 FLAGS
S: * 1 FETCH (FLAGS (\Recent))
S: d OK *
C: e FETCH 1 RFC822.PEEK[]
S: e BAD *
