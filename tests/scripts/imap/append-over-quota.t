# append-over-quota.t    RFC 5530 section 3: [OVERQUOTA], before the literal
account alice
config store.quota = 64k
C: a1 LOGIN alice secret
S: a1 OK *
C: b APPEND INBOX {plain.eml}
S: b OK *
C: c APPEND INBOX {65300}
S: c NO [OVERQUOTA] *
