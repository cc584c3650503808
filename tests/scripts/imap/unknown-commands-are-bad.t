# unknown-commands-are-bad.t    RFC 3501 section 7.1.3; [limits] bad_commands
config limits.bad_commands = 3
C: a XYZZY
S: a BAD *
C: b
S: b BAD *
C: c SELECT INBOX
S: c BAD *
S: * BYE *
eof
