# top-header-and-lines.t    RFC 1939 section 7
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: TOP 2 0
S: +OK *
S: From: root@build.example.org
S: To: alice@example.org
S: Subject: Output of your job 4711
S: Date: Fri, 20 Nov 2026 04:00:00 +0000
S: Message-ID: <job4711@build.example.org>
S: 
S: .
C: TOP 2 3
S: +OK *
S: From: root@build.example.org
S: To: alice@example.org
S: Subject: Output of your job 4711
S: Date: Fri, 20 Nov 2026 04:00:00 +0000
S: Message-ID: <job4711@build.example.org>
S: 
S: ..
S: ...
S: ....
S: .
C: TOP 1 9999
S: +OK *
S: <<.plain.eml>>
S: .
C: TOP 1
S: -ERR *
C: TOP 1 -1
S: -ERR *
C: TOP 3 1
S: -ERR no such message
