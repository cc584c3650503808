# list-shows-the-mailboxes-of-every-account.t    RFC 3501 section 6.3.8
account alice
C: a1 LOGIN alice secret
S: a1 OK *
C: b LIST "" ""
S: * LIST (\Noselect) "/" ""
S: b OK *
C: c LIST "" INBOX
S: * LIST (*
S: c OK *
C: d LIST "" "*"
S: *...
S: d OK *
C: e LIST "" Trash
S: * LIST (*
S: e OK *
C: f LIST "" nothing-like-that
S: f OK *
