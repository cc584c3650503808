# stat-counts-octets-as-sent.t    RFC 1939 section 5: octets with CRLF, before dot-stuffing
account alice INBOX plain.eml dot-lines.eml
C: USER alice
S: +OK *
C: PASS secret
S: +OK *
C: STAT
S: +OK 2 679
C: STAT 1
S: -ERR *
