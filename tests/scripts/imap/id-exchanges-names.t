# id-exchanges-names.t    RFC 2971 section 3.1: in any state
account alice
C: a ID NIL
S: * ID ("name" "Tandem")
S: a OK *
C: b ID ("name" "x" "version" NIL {"os"} "y")
S: * ID *
S: b OK *
C: c ID ("name")
S: c BAD *
C: d ID
S: d BAD *
C: e ID (name x)
S: e BAD *
C: f ID ()
S: * ID *
S: f OK *
