# view-begins-at-a-date.t    [pop3] since: what arrived before that day is not there
account alice INBOX plain.eml
config pop3.since = 2026-01-01
connect imap C2
C2: a LOGIN alice secret
S2: a OK *
C2: b APPEND INBOX "31-Dec-2025 23:59:59 +0000" {no-mime.eml+}
S2: b OK *
C2: c APPEND INBOX "01-Jan-2026 00:00:00 +0000" {dot-lines.eml+}
S2: c OK *
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: UIDL
S: +OK *
S: 1 00000001*
S: 2 00000003*
S: .
