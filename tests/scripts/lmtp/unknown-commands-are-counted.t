# unknown-commands-are-counted.t    [limits] bad_commands
config limits.bad_commands = 3
C: HELO client.example.net
S: 500 5.5.2 *
C: DATA
S: 503 5.5.1 *
C: BURL imap:x LAST
S: 500 5.5.2 *
S: 421 4.7.0 *
eof
