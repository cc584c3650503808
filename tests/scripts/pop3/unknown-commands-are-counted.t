# unknown-commands-are-counted.t    [limits] bad_commands; CONTRACTS
config limits.bad_commands = 3
C: XYZZY
S: -ERR *
C: \x00
S: -ERR *
C: LIST
S: -ERR *
eof
