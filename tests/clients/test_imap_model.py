"""Several random clients on shared mailboxes. Each builds its picture of the selected mailbox from
untagged responses alone (RFC 3501 sections 5.2, 7.3 and 7.4); whenever all are quiet, every picture
is that of a fresh session. The seed is printed; by hand, with others and for longer:

    TANDEM_MODEL_SEEDS=100:140 TANDEM_MODEL_STEPS=3000 pytest tests/clients/test_imap_model.py
"""
import collections
import os
import random
import re

import pytest
from conftest import DOMAIN, PASSWORD, PORTS
from imap_wire import Wire, data, fetched, literal

CLIENTS, STEPS, QUIET_EVERY, MESSAGES_MAX = 5, 500, 25, 60
NAMES = ["INBOX", "Archive", "m0", "m0/a", "m1", "m1/b/c", "Entw&APw-rfe"]
SYSTEM = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"]
NO_EXPUNGE = {"FETCH", "STORE", "SEARCH"}  # RFC 3501 section 7.4.1


def seeds():
    first, _, last = os.environ.get("TANDEM_MODEL_SEEDS", "1:3").partition(":")
    return range(int(first), int(last or int(first) + 1))


class Row:
    """A message as a client knows it; None: it has not been told yet."""

    def __init__(self):
        self.uid = self.size = self.flags = None


class Command:
    def __init__(self, verb, text, uid=False, **facts):
        self.verb, self.text, self.uid = verb, text, uid
        self.rows, self.items, self.got = [], (), {}
        self.mailbox = self.change = self.copied = None
        self.read_only = self.alone = False
        self.__dict__.update(facts)


class World:
    """What the clients share: the server, chance, and what must be the same for all of them."""

    def __init__(self, server, rng):
        self.server, self.rng = server, rng
        # Some worlds know more keywords than a mailbox takes, in some all are in one mailbox.
        self.keywords = ["$Work", "later", "NonJunk"]
        if rng.random() < 0.3:
            self.keywords += [f"k{n}" for n in range(70)]
        self.crowded = rng.random() < 0.3
        self.log = collections.deque(maxlen=300)
        self.contents = {}  # (UIDVALIDITY, UID): the message's own mark
        self.recent = {}    # the same: the session that was told it is \Recent
        self.marks = self.sessions = 0
        self.figures = collections.Counter()
        self.clients = []

    def message(self):
        self.marks += 1
        head = f"From: x@example.net\r\nSubject: mark-{self.marks}\r\n\r\n"
        count = self.rng.randrange(8) if self.rng.random() < 0.95 else self.rng.randrange(1000)
        lines = ["x" * self.rng.randrange(70) for _ in range(count)]
        if self.rng.random() < 0.003:  # this one comes in pieces
            lines += ["x" * 998] * 2500
        return b"mark-%d" % self.marks, (head + "\r\n".join(lines) + "\r\n").encode()

    def is_content(self, validity, uid, mark):
        told = self.contents.setdefault((validity, uid), mark)
        assert told == mark, f"UID {uid} of {validity} was {told}, now it is {mark}"

    def is_recent_for(self, validity, uid, session):
        first = self.recent.setdefault((validity, uid), session)
        assert first == session, f"UID {uid} of {validity} is \\Recent for two sessions"


class Client:
    def __init__(self, world, number):
        self.world, self.number, self.tags = world, number, 0
        self.connect()

    def connect(self):
        self.wire = Wire(self.world.server.address, PORTS["imap"])
        self.wire.response()
        self.wire.ok(f"LOGIN alice {PASSWORD}".encode())
        self.queue, self.idling = collections.deque(), False
        self.leave()

    def vanish(self):
        """The connection is lost. Not in a change: nobody could tell when it is over."""
        harmless = {"FETCH", "SEARCH", "NOOP", "IDLE", "SELECT"}
        if all(c.verb in harmless and " BODY[" not in f" {c.text}".replace("(", " ")
               for c in self.queue):
            self.world.log.append(f"C{self.number}: is gone")
            self.world.figures["lost"] += 1
            self.wire.close()
            self.connect()

    def leave(self):
        self.selected, self.rows, self.known, self.dead = False, [], None, False
        self.validity = self.session = None
        self.recent = 0   # as told, less those that have gone; None: one went that was not known
        self.untold = {}  # what no FETCH told of a message is excused by its EXPUNGE alone

    # --- what it hears ---------------------------------------------------------------------------

    def hear(self):
        """Takes one response."""
        said = self.wire.response()
        self.world.log.append(f"S{self.number}: {said[:300]!r}")
        current = self.queue[0] if self.queue else None
        assert current, f"said with no command under way: {said!r}"
        if said.startswith(b"+ "):
            assert current.verb == "IDLE"
            self.idling = True
        elif said.startswith(b"* "):
            self.untagged(current, said)
        else:
            tag, answer = said.split(b" ", 1)
            assert tag == current.tag, f"{tag} answers {current.tag}"
            self.queue.popleft()
            self.idling = False
            self.answered(current, answer)
            self.begin_next()

    def begin_next(self):
        """What a command does to the picture as soon as it is the one under way."""
        if not self.queue:
            return
        command = self.queue[0]
        if command.verb in ("SELECT", "CLOSE", "UNSELECT"):
            self.leave()
        if command.verb == "SELECT":
            self.world.sessions += 1
            self.session = (self.number, self.world.sessions)
        if command.uid and command.verb in NO_EXPUNGE:
            command.rows = [row for row in self.rows if row.uid in command.uids]
        if command.verb == "STORE" and command.silent:
            for row in self.rows:
                if command.uid and row.uid is None:
                    row.flags = None  # it may be among them
            for row in command.rows:
                if row.flags is not None:
                    row.flags = self.changed(row.flags, command.change)

    @staticmethod
    def changed(flags, change):
        sign, named = change
        recent = flags & {"\\Recent"}
        return {"+": flags | named, "-": flags - named, "": named | recent}[sign]

    def untagged(self, current, said):
        number = re.match(rb"\* (\d+) (EXISTS|RECENT|EXPUNGE)\Z", said)
        if number:
            n, what = int(number.group(1)), number.group(2)
            if what == b"EXISTS":
                assert n >= len(self.rows), f"{n} EXISTS, but there are {len(self.rows)}"
                self.rows += [Row() for _ in range(n - len(self.rows))]
            elif what == b"RECENT":
                assert n <= len(self.rows)
                self.recent = n
            else:
                assert current.uid or current.verb not in NO_EXPUNGE, f"EXPUNGE in {current.verb}"
                assert 1 <= n <= len(self.rows), f"{n} EXPUNGE of {len(self.rows)}"
                flags = self.rows.pop(n - 1).flags
                self.recent = None if flags is None or self.recent is None \
                    else self.recent - ("\\Recent" in flags)
            return
        row = fetched(said)
        if row:
            self.fetch_told(current, *row)
        elif said.startswith(b"* FLAGS "):
            self.known = set(data(said, 8)[0])
        elif said.startswith(b"* OK [UIDVALIDITY "):
            self.validity = int(said[18:].split(b"]")[0])
        elif said.startswith(b"* OK [COPYUID "):
            current.copied = said[5:]
        elif said.startswith((b"* SEARCH", b"* ESEARCH")):
            current.found = [int(n) for n in said.split()[2:]]
        else:
            assert not said.startswith((b"* BYE", b"* NO", b"* BAD")), said

    def fetch_told(self, current, n, items):
        assert 1 <= n <= len(self.rows), f"FETCH of {n}, there are {len(self.rows)}"
        row = self.rows[n - 1]
        if current.uid:
            assert "UID" in items, "a UID command's responses have it (RFC 3501 section 6.4.8)"
        if "UID" in items:
            uid = items["UID"]
            assert row.uid in (None, uid), f"message {n} was UID {row.uid}, now {uid}"
            row.uid = uid
            told = [r.uid for r in self.rows if r.uid]
            assert told == sorted(set(told)), f"UIDs do not ascend: {told}"
        if "RFC822.SIZE" in items:
            assert row.size in (None, items["RFC822.SIZE"])
            row.size = items["RFC822.SIZE"]
        if "FLAGS" in items:
            row.flags = set(items["FLAGS"])
            unknown = row.flags - self.known - {"\\Recent"}
            assert not unknown, f"{unknown} was not in FLAGS {self.known}"
            if row.uid and "\\Recent" in row.flags and not self.read_only:
                self.world.is_recent_for(self.validity, row.uid, self.session)
        if "BODY[HEADER.FIELDS (SUBJECT)]" in items and row.uid:
            mark = items["BODY[HEADER.FIELDS (SUBJECT)]"].split()[1]
            self.world.is_content(self.validity, row.uid, mark)
        current.got.setdefault(row, set()).update(items)

    def answered(self, command, answer):
        world, verdict = self.world, answer.split()[0].decode()
        code = re.match(rb"\w+ \[([^\]]*)\]", answer)
        words = code.group(1).decode().split() if code else [""]
        world.figures[f"{command.verb} {verdict} {words[0] if verdict != 'OK' else ''}"] += 1
        assert verdict != "BAD", f"{command.text!r}: {answer!r}"
        if b"Mailbox was deleted" in answer:
            assert not self.rows, "all are expunged before the mailbox is said to be gone"
            self.dead = True
            return
        if command.verb in ("FETCH", "CLOSE"):
            assert verdict == "OK", answer
        if command.verb == "SELECT":
            self.selected, self.read_only = verdict == "OK", command.read_only
            if not self.selected:
                self.leave()
        elif command.verb in ("FETCH", "STORE") and verdict == "OK" and command.items:
            for row in command.rows:
                missing = set(command.items) - command.got.get(row, set())
                if missing:
                    self.untold[row] = f"{command.text!r} did not tell {missing} of {row.uid}"
        if command.verb == "STORE" and verdict == "OK" and command.alone:
            for row in (r for r in command.rows if r.flags is not None):
                assert row.flags == self.changed(row.flags, command.change), command.text
        if command.verb == "STORE" and verdict == "NO" and command.silent:
            for row in command.rows:
                row.flags = None
        if words[0] == "APPENDUID":
            world.is_content(int(words[1]), int(words[2]), command.mark)
        if command.copied or words[0] == "COPYUID":
            words = (command.copied or answer).decode().split("]")[0].split()[-3:]
            ours, theirs = uids_of(words[1]), uids_of(words[2])
            assert len(ours) == len(theirs), f"COPYUID {words}"
            for mine, other in zip(ours, theirs):
                if (self.validity, mine) in world.contents:
                    world.is_content(int(words[0]), other, world.contents[self.validity, mine])

    # --- what it says ----------------------------------------------------------------------------

    def send(self, commands):
        octets = b""
        for command in commands:
            self.tags += 1
            command.tag = b"c%d" % self.tags
            text = command.text if isinstance(command.text, bytes) else command.text.encode()
            octets += command.tag + b" " + text + b"\r\n"
        self.world.log.append(f"C{self.number}: {octets[:400]!r}")
        was_quiet = not self.queue
        self.queue.extend(commands)
        self.wire.send(octets)
        if was_quiet:
            self.begin_next()

    def settle(self):
        while self.queue:
            if self.idling:
                self.wire.send(b"DONE\r\n")
                self.idling = False
            self.hear()

    def numbers(self):
        """Rows and the set that names them: a few, a range, or all."""
        rng, n = self.world.rng, len(self.rows)
        how = rng.random()
        if how < 0.2:
            return list(range(1, n + 1)), rng.choice(["1:*", "*:1", f"{n}:1"])
        if how < 0.5:
            low, high = sorted((rng.randint(1, n), rng.randint(1, n)))
            return list(range(low, high + 1)), f"{low}:{high}"
        picked = rng.sample(range(1, n + 1), min(n, rng.randint(1, 4)))
        return sorted(picked), ",".join(map(str, picked))

    def uid_set(self):
        uids = [row.uid for row in self.rows if row.uid]
        rng = self.world.rng
        if not uids or rng.random() < 0.2:
            return set(range(1, 100000)), "1:*"
        picked = set(rng.sample(uids, min(len(uids), rng.randint(1, 4))))
        return picked | {99999}, ",".join(map(str, sorted(picked))) + ",99999"

    def on_messages(self, verb, text, by_number, **facts):
        """A command that takes a set, by numbers only while nothing may have moved them."""
        if by_number and self.rows and self.world.rng.random() < 0.5:
            numbers, named = self.numbers()
            rows = [self.rows[n - 1] for n in numbers]
            return Command(verb, f"{verb} {named}{text}", rows=rows, **facts)
        uids, named = self.uid_set()
        return Command(verb, f"UID {verb} {named}{text}", uid=True, uids=uids, **facts)

    def some_command(self, by_number, alone):
        rng, world = self.world.rng, self.world
        if not self.selected or self.dead:
            return self.select() if rng.random() < 0.7 else self.elsewhere()
        kind = rng.choices(["FETCH", "STORE", "SEARCH", "COPY", "MOVE", "EXPUNGE", "NOOP", "APPEND",
                            "SELECT", "CLOSE", "ELSEWHERE", "IDLE"],
                           [9, 9, 2, 2, 2, 3, 3, 5, 2, 1, 2, 2])[0]
        if self.read_only and kind in ("STORE", "MOVE", "EXPUNGE"):
            kind = "FETCH"
        if kind == "FETCH":
            items = rng.choice([("FLAGS",), ("UID", "FLAGS", "RFC822.SIZE"), ("UID",),
                                ("UID", "BODY[HEADER.FIELDS (SUBJECT)]"), ("FLAGS", "BODY[TEXT]")])
            text = " ".join(items)
            if rng.random() < 0.7:  # else \Seen is set on the way
                text = text.replace("BODY[", "BODY.PEEK[")
            return self.on_messages(kind, f" ({text})", by_number, items=items)
        if kind == "STORE":
            sign, silent = rng.choice(["+", "+", "-", ""]), rng.random() < 0.4
            named = set(rng.sample(SYSTEM + world.keywords, rng.randint(0 if sign == "" else 1, 3)))
            if rng.random() < 0.3:
                sign, named = "+", {"\\Deleted"}
            text = f" {sign}FLAGS{'.SILENT' if silent else ''} ({' '.join(sorted(named))})"
            return self.on_messages(kind, text, by_number, change=(sign, named), silent=silent,
                                    items=() if silent else ("FLAGS",), alone=alone)
        if kind == "SEARCH":
            uid = rng.random() < 0.5
            return Command(kind, ("UID " if uid else "") + "SEARCH " +
                           rng.choice(["ALL", "UNSEEN", "DELETED", "NEW", "SUBJECT mark-1"]),
                           uid=uid, uids=set())
        if kind in ("COPY", "MOVE"):
            return self.on_messages(kind, f" {rng.choice(NAMES)}", by_number)
        if kind == "EXPUNGE" and rng.random() < 0.5:
            return Command(kind, f"UID EXPUNGE {self.uid_set()[1]}", uid=True)
        if kind == "APPEND":
            mark, octets = world.message()
            flags = " ".join(rng.sample(SYSTEM + world.keywords, rng.randrange(3)))
            date = rng.choice(["", ' "17-Jul-1996 02:44:25 -0700"'])
            where = rng.choice(NAMES)
            return Command(kind, f"APPEND {where} ({flags}){date} ".encode() + literal(octets),
                           mark=mark)
        if kind == "SELECT":
            return self.select()
        if kind == "ELSEWHERE":
            return self.elsewhere()
        return Command(kind, rng.choice(["NOOP", "CHECK"]) if kind == "NOOP" else
                       rng.choice(["CLOSE", "UNSELECT"]) if kind == "CLOSE" else kind)

    def select(self):
        rng = self.world.rng
        read_only = rng.random() < 0.2
        name = rng.choice(NAMES if rng.random() < 0.6 else ["INBOX", "m0"])
        if self.world.crowded and rng.random() < 0.9:
            name = "INBOX"
        return Command("SELECT", f"{'EXAMINE' if read_only else 'SELECT'} {name}",
                       read_only=read_only)

    def elsewhere(self):
        """Mailboxes come, go and change their names under those who have them selected."""
        rng = self.world.rng
        one, other = rng.sample(NAMES[2:], 2)
        if rng.random() < 0.05:
            one = "INBOX"
        return Command("MAILBOX", rng.choice([
            f"CREATE {one}", f"CREATE {other}", f"DELETE {other}", f"RENAME {one} {other}",
            f"SUBSCRIBE {one}", 'LIST "" "*"', f"STATUS {other} (MESSAGES UNSEEN RECENT)"]))

    def act(self, alone):
        commands, by_number = [], True
        for _ in range(self.world.rng.choice([1, 1, 1, 2, 4])):
            command = self.some_command(by_number, alone and not commands)
            # Numbers may move once EXPUNGE may be told (RFC 3501 section 5.5).
            by_number = by_number and command.verb in NO_EXPUNGE and not command.uid
            commands.append(command)
            if command.verb in ("SELECT", "CLOSE", "IDLE"):
                break
        self.send(commands)
        if alone:
            self.settle()


def uids_of(text):
    found = []
    for one in text.split(","):
        first, _, last = one.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


def rows_of(wire, items):
    """All messages; FLAGS may come among them when unused keywords have been given up."""
    said = [fetched(r) or r for r in wire.ok(f"UID FETCH 1:* ({items})".encode())]
    assert all(isinstance(r, tuple) or r.startswith((b"* FLAGS", b"* OK [PERM")) for r in said), said
    return [r for r in said if isinstance(r, tuple)]


def picture(wire, name):
    """(UIDVALIDITY, {UID: (flags, size, mark)}) as a fresh session sees a mailbox; None: it cannot
    be selected."""
    answer, said = wire.command(f"EXAMINE {name}".encode())
    if not answer.startswith(b"OK"):
        return None
    text = b"\n".join(said)
    validity, following = (int(re.search(rb"\[%s (\d+)\]" % what, text).group(1))
                           for what in (b"UIDVALIDITY", b"UIDNEXT"))
    exists = int(re.search(rb"\* (\d+) EXISTS", text).group(1))
    rows = rows_of(wire, "FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
    assert [n for n, _ in rows] == list(range(1, exists + 1)), "fresh: numbers"
    found = {r["UID"]: (set(r["FLAGS"]) - {"\\Recent"}, r["RFC822.SIZE"],
                        r["BODY[HEADER.FIELDS (SUBJECT)]"].split()[1]) for _, r in rows}
    assert list(found) == sorted(found) and all(uid < following for uid in found), "fresh: UIDs"
    unseen = re.search(rb"\[UNSEEN (\d+)\]", text)
    assert (int(unseen.group(1)) if unseen else None) == \
        next((n for n, r in rows if "\\Seen" not in r["FLAGS"]), None), "fresh: first unseen"
    status = data(wire.ok(f"STATUS {name} (MESSAGES UNSEEN SIZE UIDNEXT)".encode())[0], 9)[1]
    counted = [len(found), sum("\\Seen" not in f for f, _, _ in found.values()),
               sum(size for _, size, _ in found.values()), following]
    told = dict(zip(status[::2], status[1::2]))
    assert [told[k] for k in ("MESSAGES", "UNSEEN", "SIZE", "UIDNEXT")] == counted, status
    return validity, found


def search_agrees(world, client):
    """Keys that say no more than the picture does."""
    rng = world.rng

    def leaf():
        flag = rng.choice(["Answered", "Flagged", "Deleted", "Seen", "Draft"])
        keyword, size = rng.choice(world.keywords), rng.randrange(50, 400)
        uid = rng.choice(client.rows).uid
        return rng.choice([
            (flag.upper(), lambda r: "\\" + flag in r.flags),
            ("UN" + flag.upper(), lambda r: "\\" + flag not in r.flags),
            ("KEYWORD " + keyword.upper(),
             lambda r: keyword.lower() in {f.lower() for f in r.flags}),
            ("UNKEYWORD " + keyword, lambda r: keyword not in r.flags),
            (f"LARGER {size}", lambda r: r.size > size),
            (f"SMALLER {size}", lambda r: r.size < size),
            (f"UID {uid}:*", lambda r: r.uid >= uid or r is client.rows[-1]), ("ALL", lambda r: True)])

    def key(depth):
        how = rng.random() if depth else 0
        if how < 0.4:
            return leaf()
        one, other = key(depth - 1), key(depth - 1)
        return (("NOT " + one[0], lambda r: not one[1](r)) if how < 0.6 else
                (f"OR {one[0]} {other[0]}", lambda r: one[1](r) or other[1](r)) if how < 0.8 else
                (f"({one[0]} {other[0]})", lambda r: one[1](r) and other[1](r)))

    for _ in range(3):
        text, holds = key(3)
        command = Command("SEARCH", "SEARCH " + text)
        client.send([command])
        client.settle()
        wanted = [n for n, row in enumerate(client.rows, 1) if holds(row)]
        assert command.found == wanted, f"SEARCH {text}: {command.found}, not {wanted}"


def all_agree(world, fresh):
    for client in world.clients:
        client.settle()
    for client in world.clients:
        client.send([Command("NOOP", "NOOP")])
        client.settle()
    there = {}
    for listed in fresh.ok(b'LIST "" "*"'):
        name = data(listed, 7)[2].decode()
        if b"\\Noselect" not in listed:
            validity, found = picture(fresh, name)
            assert validity not in there
            there[validity] = found
            for uid, (_, _, mark) in found.items():
                world.is_content(validity, uid, mark)
    for client in world.clients:
        if not client.selected:
            continue
        found = there.get(client.validity, {})
        where = f"client {client.number} in {client.validity}"
        assert not any(row in client.untold for row in client.rows), client.untold.values()
        client.untold = {}
        assert len(client.rows) == len(found), f"{where}: {len(client.rows)}, fresh {len(found)}"
        for n, (row, (uid, (flags, size, _))) in enumerate(zip(client.rows, found.items()), 1):
            assert row.uid in (None, uid), f"{where}, message {n}: UID {row.uid}, fresh {uid}"
            assert row.size in (None, size), f"{where}, UID {uid}: size {row.size}, fresh {size}"
            mine = None if row.flags is None else row.flags - {"\\Recent"}
            assert mine in (None, flags), f"{where}, UID {uid}: {mine}, fresh {flags}"
        if client.rows and world.rng.random() < 0.3:
            client.send([Command("FETCH", "FETCH 1:* (UID FLAGS RFC822.SIZE)", rows=client.rows,
                                 items=("UID", "FLAGS", "RFC822.SIZE"))])
            client.settle()
            recent = sum("\\Recent" in row.flags for row in client.rows)
            assert client.recent in (None, recent), f"{where}: {client.recent} RECENT, but {recent}"
            search_agrees(world, client)
    world.figures["messages compared"] += sum(map(len, there.values()))


def clear_up(fresh):
    """No mailbox grows for ever."""
    for name in NAMES:
        answer, _ = fresh.command(f"SELECT {name}".encode())
        if answer.startswith(b"OK"):
            uids = [r["UID"] for _, r in rows_of(fresh, "UID")]
            if len(uids) > MESSAGES_MAX:
                fresh.ok(b"UID STORE 1:%d +FLAGS.SILENT (\\Deleted)" % uids[MESSAGES_MAX // 2])
                fresh.ok(b"UID EXPUNGE 1:%d" % uids[MESSAGES_MAX // 2])
    fresh.ok(b"SELECT INBOX")
    fresh.ok(b"UNSELECT")


def pop3(world):
    """Reads a few and deletes a few; or loses its connection before QUIT, and nothing is deleted.
    What was read is marked as \\Seen at some time after that, so then nothing is read."""
    session = world.server.pop3("alice")
    count, quits = session.stat()[0], world.rng.random() < 0.6
    for number in world.rng.sample(range(1, count + 1), min(count, 3)):
        session.retr(number) if quits and world.rng.random() < 0.5 else session.dele(number)
    session.quit() if quits else session.close()
    world.figures["POP3"] += 1


def lmtp(world):
    with world.server.lmtp() as client:
        mark, octets = world.message()
        answer = client.deliver(octets, "alice")
    assert answer["alice"][0] == 250, (mark, answer)
    world.figures["LMTP"] += 1


def step(world):
    chance = world.rng.random()
    if chance < 0.03:
        pop3(world)
    elif chance < 0.06:
        lmtp(world)
    client = world.rng.choice(world.clients)
    if world.rng.random() < 0.02:
        client.vanish()
    if client.queue and world.rng.random() < 0.7:
        client.settle()
    if not client.queue:
        alone = world.rng.random() < 0.3 and not any(other.queue for other in world.clients)
        client.act(alone)
    for other in world.clients:
        while other.queue and other.wire.waiting():
            other.hear()


@pytest.mark.parametrize("seed", seeds())
def test_every_picture_is_that_of_a_fresh_session(make_server, show, seed):
    # With the smallest output queue a command often stops at its high mark and goes on later.
    server = make_server(["alice"], {("limits", "output"): "16k"} if seed % 2 else {})
    world = World(server, random.Random(seed))
    fresh = Wire(server.address, PORTS["imap"])
    fresh.response()
    fresh.ok(f"LOGIN alice@{DOMAIN} {PASSWORD}".encode())
    world.clients = [Client(world, number) for number in range(CLIENTS)]
    try:
        for number in range(1, int(os.environ.get("TANDEM_MODEL_STEPS", STEPS)) + 1):
            step(world)
            if number % QUIET_EVERY == 0:
                all_agree(world, fresh)
                clear_up(fresh)
    except Exception:
        print(f"seed {seed}, the last that was said:\n" + "\n".join(world.log))
        raise
    for client in [*world.clients, fresh]:
        client = getattr(client, "wire", client)
        client.ok(b"LOGOUT")
        client.close()
    show(f"seed {seed}: " + ", ".join(f"{k.strip()} {n}" for k, n in sorted(world.figures.items())))
    check = server.tool("check")
    assert check.returncode == 0, check.stdout + check.stderr
