# enable-passes-over-the-unknown.t    RFC 5161 sections 3.1, 3.2
account alice
C: a ENABLE X-UNKNOWN
S: a BAD *
C: b LOGIN alice secret
S: b OK *
C: c ENABLE X-UNKNOWN X-GOOD-IDEA
S: * ENABLED
S: c OK *
C: d ENABLE
S: d BAD *
C: e ENABLE ()
S: e BAD *
