# connection-from-strangers-is-refused.t    [lmtp] trusted
config lmtp.trusted = unix
connect lmtp
S: 554 5.7.1 *
eof
