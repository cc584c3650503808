# retr-completes-the-last-line.t    RFC 1939 section 3: the end stands on a line of its own
account alice INBOX no-final-newline.eml long-lines.eml latin1-8bit.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: RETR 1
S: +OK message follows, 208 octets
S: From: phone@example.org
S: To: alice@example.org
S: Subject: on my way
S: Date: Sun, 22 Nov 2026 08:30:00 +0100
S: Message-ID: <phone-1@example.org>
S: Content-Type: text/plain; charset=us-ascii
S: 
S: There in ten minutes
S: .
C: RETR 2
S: +OK *
S: <<.long-lines.eml>>
S: .
C: RETR 3
S: +OK *
S: <<.latin1-8bit.eml>>
S: .
