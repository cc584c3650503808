"""kill -9 under load: what was acknowledged is there after the restart, once and whole.

Each worker owns one account, or shares its arrivals with others, and keeps a ledger of what it asked
for and what was acknowledged. After a restart every message must be in one of the states that the
ledger allows; what was unknown is then settled by what is found, and must last from there on.
"""
import poplib
import random
import smtplib
import threading
import time

from conftest import ok

LOAD_SECONDS = 1.5
PAUSE_SECONDS = 0.005  # between arrivals, so that many rounds do not drown in mail
RESTART_SECONDS = 1.0


def message_of(name):
    """The same octets whenever it is asked for; 300 octets to 200 KB."""
    rng = random.Random(name)
    size = int(min(rng.lognormvariate(8, 1.5), 200_000))
    line = rng.randbytes(36).hex() + "\r\n"
    return (f"Subject: {name}\r\nX-Ledger: {name}\r\n\r\n" + line * (size // len(line) + 1)).encode()


class Ledger:
    """Messages of one account: "maybe" (asked for), "there" (acknowledged), "going" (its removal
    was asked for), "gone" (that was acknowledged)."""

    def __init__(self):
        self.lock = threading.Lock()
        self.messages = {}
        self.batches = []  # sets of names whose removal is one change, not acknowledged
        self.flags = {}    # (uid, flag) -> wanted, acknowledged

    def set(self, names, state):
        """An arrival may be acknowledged after somebody else has removed the message again."""
        with self.lock:
            for name in names:
                if state != "there" or self.messages[name] == "maybe":
                    self.messages[name] = state


class Worker(threading.Thread):
    """Runs step() until the connection breaks or it is told to end."""

    def __init__(self, server, ledgers, number):
        super().__init__(daemon=True)
        self.server, self.ledgers, self.number = server, ledgers, number
        self.ending = threading.Event()
        self.acknowledged = 0
        self.wrong = None

    def run(self):
        try:
            self.open()
            while not self.ending.is_set():
                self.step()
                self.acknowledged += 1
        except (OSError, EOFError, smtplib.SMTPException, poplib.error_proto) as e:
            self.wrong = None if self.ending.is_set() else e
        except Exception as e:  # imaplib's abort, an assertion: a broken connection, or a finding
            self.wrong = None if self.ending.is_set() else e


class Deliver(Worker):
    """LMTP to two accounts at once: both or neither copy is settled by each answer."""

    def open(self):
        self.lmtp = self.server.lmtp()
        self.count = 0

    def step(self):
        time.sleep(PAUSE_SECONDS)
        users = ["dele", "expunge"] if self.count % 2 else ["dele"]
        name = f"lmtp-{self.number}-{self.count}"
        self.count += 1
        for user in users:
            self.ledgers[user].set([name], "maybe")
        answers = self.lmtp.deliver(message_of(name), *users)
        for user, (code, _) in answers.items():
            assert code == 250, answers
            self.ledgers[user].set([name], "there")


class Append(Worker):
    def open(self):
        self.imap = self.server.imap("append", mailbox=None)
        self.count = 0

    def step(self):
        time.sleep(PAUSE_SECONDS)
        name = f"append-{self.number}-{self.count}"
        self.count += 1
        self.ledgers["append"].set([name], "maybe")
        ok(self.imap.append("INBOX", "(\\Flagged)", None, message_of(name)))
        self.ledgers["append"].set([name], "there")


class Store(Worker):
    """Sets and clears flags of twenty messages that nobody else touches."""

    def open(self):
        self.imap = self.server.imap("flags")
        self.rng = random.Random(self.number)

    def step(self):
        flags = self.ledgers["flags"].flags
        key = self.rng.randint(1, 20), self.rng.choice(["\\Flagged", "\\Answered", "work", "$Later"])
        on = self.rng.random() < 0.5
        flags[key] = (on, False)
        ok(self.imap.uid("STORE", str(key[0]), "+FLAGS.SILENT" if on else "-FLAGS.SILENT",
                         f"({key[1]})"))
        flags[key] = (on, True)


def by_name(rows):
    """{name: [uid, ...]} of a fetch that has bodies or headers."""
    found = {}
    for uid, row in rows.items():
        name = row["BODY"].split(b"X-Ledger: ")[1].split(b"\r\n")[0].decode()
        found.setdefault(name, []).append(uid)
    return found


class Expunge(Worker):
    """Marks some messages and expunges them: one change, all or none."""

    def open(self):
        self.imap = self.server.imap("expunge")
        self.rng = random.Random(self.number)

    def step(self):
        ledger = self.ledgers["expunge"]
        ok(self.imap.noop())
        rows = self.imap.fetch_dict("1:*", "(UID BODY.PEEK[HEADER.FIELDS (X-LEDGER)])")
        uids = {name: found[0] for name, found in by_name(rows).items()}
        names = self.rng.sample(sorted(uids), min(len(uids), 5))
        if not names:
            time.sleep(0.01)
            return
        ok(self.imap.uid("STORE", ",".join(str(uids[n]) for n in names), "+FLAGS.SILENT",
                         "(\\Deleted)"))
        ledger.set(names, "going")
        ledger.batches.append(set(names))
        ok(self.imap.expunge())
        ledger.set(names, "gone")
        ledger.batches.pop()


class Dele(Worker):
    """POP3: reads, marks and quits; the marked go at QUIT, all or none."""

    def open(self):
        self.rng = random.Random(self.number)

    def step(self):
        ledger = self.ledgers["dele"]
        pop3 = self.server.pop3("dele")
        count = pop3.stat()[0]
        names = []
        for number in self.rng.sample(range(1, count + 1), min(count, 5)):
            octets = b"\r\n".join(pop3.retr(number)[1]) + b"\r\n"
            name = octets.split(b"X-Ledger: ")[1].split(b"\r\n")[0].decode()
            assert octets.endswith(message_of(name)), f"{name} is not whole"
            pop3.dele(number)
            names.append(name)
        ledger.set(names, "going")
        ledger.batches.append(set(names))
        pop3.quit()
        ledger.set(names, "gone")
        ledger.batches.pop()


def check_messages(server, user, ledger):
    imap = server.imap(user)
    rows = imap.fetch_dict("1:*", "(UID RFC822.SIZE BODY.PEEK[])")
    found = by_name(rows)
    imap.logout()
    for uid, row in rows.items():
        assert row["SIZE"] == len(row["BODY"])
    for name, uids in found.items():
        assert len(uids) == 1, f"{user}: {name} is there {len(uids)} times"
        assert name in ledger.messages, f"{user}: nobody sent {name}"
        assert rows[uids[0]]["BODY"].endswith(message_of(name)), f"{user}: {name} is not whole"
    for batch in ledger.batches:
        left = batch & set(found)
        assert not left or left == batch, f"{user}: removed in part: {batch - left} of {batch}"
    for name, state in ledger.messages.items():
        there = name in found
        assert there or state != "there", f"{user}: {name} was acknowledged and is lost"
        assert not there or state != "gone", f"{user}: {name} was removed and is back"
        ledger.messages[name] = "there" if there else "gone"
    ledger.batches.clear()
    return len(found)


def check_flags(server, ledger):
    imap = server.imap("flags")
    rows = imap.fetch_dict("1:*", "(UID FLAGS)")
    imap.logout()
    for (uid, flag), (on, acknowledged) in ledger.flags.items():
        there = flag in rows[uid]["FLAGS"]
        assert there == on or not acknowledged, f"message {uid}: {flag} should be {on}"
        ledger.flags[uid, flag] = (there, True)


def test_nothing_acknowledged_is_lost(make_server, request, show):
    users = ["append", "dele", "expunge", "flags"]
    server = make_server(users, {("auth", "cache"): "5m"})
    ledgers = {user: Ledger() for user in users}
    for number in range(20):
        server.deliver(message_of(f"flags-{number}"), "flags")
    rounds = request.config.getoption("--rounds")
    done, slowest = 0, 0.0
    for number in range(rounds):
        workers = [kind(server, ledgers, f"{number}-{n}")
                   for n, kind in enumerate([Deliver, Deliver, Append, Append, Store, Expunge, Dele])]
        for worker in workers:
            worker.start()
        time.sleep(LOAD_SECONDS * random.Random(number).uniform(0.5, 1.5))
        early = [w for w in workers if not w.is_alive()]
        for worker in workers:
            worker.ending.set()
        server.kill()
        for worker in workers:
            worker.join(30)
            assert not worker.is_alive()
        assert not early, f"ended before the kill: {[(type(w).__name__, w.wrong) for w in early]}"
        assert all(w.acknowledged for w in workers), \
            f"did nothing: {[type(w).__name__ for w in workers if not w.acknowledged]}"
        done += sum(w.acknowledged for w in workers)
        check = server.tool("check")
        assert check.returncode == 0, check.stdout + check.stderr
        took = server.start()
        slowest = max(slowest, took)
        assert took < RESTART_SECONDS, f"it took {took:.2f} s to serve again"
        for user in ("append", "dele", "expunge"):
            check_messages(server, user, ledgers[user])
        check_flags(server, ledgers["flags"])
    show(f"{rounds} kills, {done} changes acknowledged, serving again within {slowest * 1000:.0f} ms")
