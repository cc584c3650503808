# list-selects-by-options.t    RFC 5258 sections 3, 3.1, 3.2, RFC 6154 section 2: which names, with what
account alice
C: a LOGIN alice secret
S: a OK *
C: b CREATE Fruit/Apple
S: b OK *
C: b2 CREATE Fruit/Banana
S: b2 OK *
C: b3 CREATE Tofu
S: b3 OK *
C: c SUBSCRIBE Fruit/Banana
S: c OK *
C: c2 SUBSCRIBE Fruit/Apple
S: c2 OK *
C: c3 SUBSCRIBE Tofu
S: c3 OK *
C: c4 DELETE Tofu
S: c4 OK *
C: d LIST (SUBSCRIBED) "" (Fruit/* Tofu)
S: * LIST (\HasNoChildren \Subscribed) "/" "Fruit/Apple"
S: * LIST (\HasNoChildren \Subscribed) "/" "Fruit/Banana"
S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" "Tofu"
S: d OK *
C: e LIST () "" (Fruit Tofu "") RETURN (CHILDREN SUBSCRIBED)
S: * LIST (\HasChildren) "/" "Fruit"
S: e OK *
C: f LIST "" Fruit* RETURN (SUBSCRIBED)
S: * LIST (\HasChildren) "/" "Fruit"
S: * LIST (\HasNoChildren \Subscribed) "/" "Fruit/Apple"
S: * LIST (\HasNoChildren \Subscribed) "/" "Fruit/Banana"
S: f OK *
C: g LIST (REMOTE) Fruit/ (A* %e)
S: * LIST (\HasNoChildren) "/" "Fruit/Apple"
S: g OK *
C: h LIST (SPECIAL-USE SUBSCRIBED) "" (A* Fruit*) RETURN (SPECIAL-USE)
S: * LIST (\HasNoChildren \Subscribed \Archive) "/" "Archive"
S: h OK *
C: i LIST "" "" RETURN ()
S: i OK *
C: j LIST (subscribed REMOTE subscribed) "" Tofu
S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" "Tofu"
S: j OK *
C: k LIST (XYZZY) "" *
S: k BAD *
C: l LIST "" * RETURN (XYZZY)
S: l BAD *
C: m LIST "" ()
S: m BAD *
C: n LIST "" * RETURNS ()
S: n BAD *
C: o LIST "" (a b c d e f g h i j k l m n o p q)
S: o NO [LIMIT] *
