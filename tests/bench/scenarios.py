"""What is measured: a row is a scenario of PLANS, and a set of mail of SETS is what it needs.

A plan is text for the load generator (load.h); `each` is one operation, or `per` of them.
"""

SMALL_DROPS = 50     # u0 .. u49: 100 messages of 38 KB
BIG = 100            # u100: 10,000 messages of real shape
HUGE = 101           # u101: 100,000
SIZED = {1000: 110, 10_000: 111, 100_000: 112, 1_000_000: 113}  # messages: whose INBOX
WRITERS = 200        # u200 ..: they get mail while it is measured
COLD = 1000          # u1000 ..: one for each round, fresh
DELETED = 2000       # u2000 ..: four for each round
IDLE = 9000          # u9000 ..: empty
BODY = 38_000

IMAP_LOGIN = """connect
expect * OK
send a LOGIN ${user} secret\\r\\n
expect a OK
"""
POP3_LOGIN = """connect
expect +OK
send USER ${user}\\r\\n
expect +OK
send PASS secret\\r\\n
expect +OK
"""
IMAP_LOGOUT = "send z LOGOUT\\r\\n\nexpect z OK\nclose\n"
POP3_QUIT = "send QUIT\\r\\n\nexpect +OK\nclose\n"
LHLO = "connect\nexpect 220\nsend LHLO bench\\r\\n\nexpect 250\n"


def do(command, tag="b"):
    """An IMAP command and its end."""
    return f"send {tag} {command}\\r\\n\nexpect {tag} OK\n"


def group(server, name, protocol="imap", tls=False, setup="", each="", **attributes):
    attributes = {"users": "u%u", "count": 1, **attributes}
    port = server.ports[protocol + ("s" if tls else "")]
    words = " ".join(f"{k}={v}" for k, v in attributes.items())
    return (f"group {name} protocol={protocol} address={server.address} port={port} "
            f"tls={'yes' if tls else 'no'} {words}\nsetup\n{setup}each\n{each}")


def append(path, mailbox="INBOX"):
    return (f"take {path}\n"
            f"send b APPEND {mailbox} {{${{size}}+}}\\r\\n${{octets}}\\r\\n\nexpect b OK\n")


def deliver(path, recipients):
    """One transaction; recipients are texts for RCPT."""
    return ("take " + path + "\nsend MAIL FROM:<a@example.net>\\r\\n" +
            "".join(f"RCPT TO:<{r}@bench.example>\\r\\n" for r in recipients) + "DATA\\r\\n\n" +
            "expect 250\n" * (1 + len(recipients)) + "expect 354\nsend ${octets}\n" +
            "expect 250\n" * len(recipients))


# --- sets of mail ---------------------------------------------------------------------------------

def fill(server, path, first, users, count, mailbox="INBOX"):
    """Append `count` messages for each of the users, who all go on at the same time."""
    return "seconds 3600\n" + group(server, "clients", first=first, count=users, connections=users,
                                    limit=users, setup=IMAP_LOGIN,
                                    each=f"loop {count}\n" + append(path, mailbox) + "next\n")


def set_drops(server, files):
    yield fill(server, files.message(BODY), 0, SMALL_DROPS, 100)


def set_10k(server, files):
    yield fill(server, files.varied(), BIG, 1, 10_000)


def grow(server, files, user, count):
    """A mailbox of many small messages: a thousand, copied again and again."""
    yield fill(server, files.small(), user, 1, 1000)
    there = 1000
    while there < count:
        more = min(there, count - there, 50_000)
        yield "seconds 3600\n" + group(server, "clients", first=user, limit=1,
                                       setup=IMAP_LOGIN + do("SELECT INBOX"),
                                       each=do(f"COPY 1:{more} INBOX") + do("NOOP"))
        there += more


def set_100k(server, files):
    yield from grow(server, files, HUGE, 100_000)


def sized(size):
    return lambda server, files: grow(server, files, SIZED[size], size)


SETS = {"drops": set_drops, "10k": set_10k, "100k": set_100k,
        **{f"sized-{size}": sized(size) for size in SIZED}}


# --- scenarios ------------------------------------------------------------------------------------

class Scenario:
    """A row of the table. `plan(server, files, round)` is measured; `before(server, files, round)`
    are plans that run first in every round; `needs` is a capability; `dovecot` are settings of its
    own; `floor`: floor.c can answer it. What is compared is CPU, or `measure`: latency, memory."""

    def __init__(self, name, title, goal, plan, sets=(), seconds=2, before=None, needs=None,
                 dovecot=None, measure="cpu", floor=False):
        self.name, self.title, self.goal, self.plan = name, title, goal, plan
        self.sets, self.seconds, self.before, self.needs = sets, seconds, before, needs
        self.dovecot, self.measure, self.floor = dovecot or {}, measure, floor


def login(protocol, tls=False, users="u%u", count=50):
    steps = {"imap": IMAP_LOGIN + IMAP_LOGOUT, "pop3": POP3_LOGIN + POP3_QUIT}[protocol]
    return lambda s, f, r: group(s, "clients", protocol, tls, connections=8, users=users,
                                 count=count, first=0 if users[0] == "h" else IDLE, each=steps)


def selected(command, user=BIG, per=1, tls=False, connections=1, after=""):
    return lambda s, f, r: group(s, "clients", tls=tls, first=user, per=per,
                                 connections=connections,
                                 setup=IMAP_LOGIN + do("SELECT INBOX"), each=do(command) + after)


def download(dele):
    def plan(s, f, r):
        each = POP3_LOGIN + "send STAT\\r\\n\nexpect +OK\nsend UIDL\\r\\n\nlines\nloop 100\n" \
            "send RETR ${i}\\r\\n\nexpect +OK\nlines\n"
        if dele:
            each += "send DELE ${i}\\r\\n\nexpect +OK\n"
        each += "next\n" + POP3_QUIT
        first = DELETED + 4 * r if dele else 0
        return group(s, "clients", "pop3", connections=4, first=first, count=4, per=100,
                     limit=4 if dele else 0, each=each)
    return plan


def refill(s, f, r):
    yield fill(s, f.message(BODY), DELETED + 4 * r, 4, 100)


def fill_cold(s, f, r):
    yield fill(s, f.varied(), COLD + r, 1, 1000)


LIST_ITEMS = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)"


def appends(size, connections):
    return lambda s, f, r: group(s, "clients", first=WRITERS, count=connections,
                                 connections=connections, setup=IMAP_LOGIN,
                                 each=append(f.message(size)))


def lmtp(recipients):
    names = (["u${random:300:349}"] if recipients == 1 else
             [f"u{350 + i}" for i in range(recipients)])
    return lambda s, f, r: group(s, "clients", "lmtp", per=recipients, setup=LHLO,
                                 each=deliver(f.data(10_000), names))


def mixed(s, f, r):
    each = (do("SELECT INBOX") + do("FETCH 1:* (FLAGS)") + do("NOOP") +
            do("FETCH ${random:1:90}:* (UID FLAGS RFC822.SIZE ENVELOPE)") +
            do("FETCH ${random:1:100} BODY.PEEK[]") +
            do("STORE ${random:1:100} FLAGS (\\\\Seen)") +
            do("STORE ${random:1:100} FLAGS (\\\\Flagged)") + do("UID SEARCH UNSEEN") +
            do("STATUS INBOX (MESSAGES UNSEEN)") + do('LIST "" "*"') +
            do("FETCH ${random:1:100} BODY.PEEK[1]"))
    return group(s, "clients", connections=SMALL_DROPS, count=SMALL_DROPS, per=11,
                 setup=IMAP_LOGIN, each=each)


def idle_latency(s, f, r):
    watch = IMAP_LOGIN + do("SELECT INBOX") + "send i IDLE\\r\\n\nexpect +\n"
    return (group(s, "watchers", first=WRITERS + 20, connections=100, background="yes", setup=watch,
                  each="await EXISTS\nsince\n") +
            group(s, "clients", "lmtp", setup=LHLO,
                  each="pause 900\nstamp\n" + deliver(f.data(4000), [f"u{WRITERS + 20}"])))


def store(s, f, r):
    """A flag that changes every time."""
    return group(s, "clients", connections=4, count=4, per=200,
                 setup=IMAP_LOGIN + do("SELECT INBOX"),
                 each="loop 100\n" + do("STORE ${i} FLAGS.SILENT (\\\\Flagged)") +
                 do("STORE ${i} FLAGS.SILENT (\\\\Seen)") + "next\n")


IDLE_CONNECTIONS = {"tandem": 4000, "dovecot": 200}  # a process each


def idle(tls):
    return lambda s, f, r: group(s, "clients", tls=tls, first=IDLE, count=1000,
                                 connections=IDLE_CONNECTIONS[s.name],
                                 setup=IMAP_LOGIN + do("SELECT INBOX") +
                                 "send i IDLE\\r\\n\nexpect +\n")


SCENARIOS = [
    Scenario("imap-login", "IMAP login, plain", 0.10, login("imap"), floor=True),
    Scenario("pop3-login", "POP3 login, plain", 0.10, login("pop3"), floor=True),
    Scenario("imap-login-tls", "IMAP login over TLS, ECDSA", 0.33, login("imap", True)),
    Scenario("pop3-login-tls", "POP3 login over TLS, ECDSA", 0.33, login("pop3", True)),
    Scenario("login-crypt", "login with SHA512-CRYPT, repeated", 0.03,
             login("imap", users="h%u", count=10), floor=True),
    Scenario("pop3-download", "POP3 download, per message (38 KB)", 0.10,
             download(False), ["drops"], floor=True),
    Scenario("pop3-download-dele", "the same with DELE", 0.15, download(True), before=refill,
             floor=True),
    Scenario("select-10k", "SELECT, 10k", 0.15,
             selected("SELECT INBOX", after=do("UNSELECT")), ["10k"], floor=True),
    Scenario("select-100k", "SELECT, 100k", 0.15,
             selected("SELECT INBOX", HUGE, after=do("UNSELECT")), ["100k"], floor=True),
    Scenario("list-warm", "FETCH ENVELOPE+BODYSTRUCTURE+…, per message, warm", 0.05,
             selected(f"FETCH 1:* {LIST_ITEMS}", BIG, 10_000), ["10k"]),
    Scenario("list-cold", "the same, cold (first time)", 0.01,
             lambda s, f, r: group(s, "clients", first=COLD + r, per=1000, limit=1,
                            setup=IMAP_LOGIN + do("SELECT INBOX"),
                            each=do(f"FETCH 1:* {LIST_ITEMS}")), before=fill_cold),
    Scenario("flags-10k", "FETCH FLAGS, per message, 10k", 0.20,
             selected("FETCH 1:* (FLAGS)", BIG, 10_000), ["10k"]),
    Scenario("flags-100k", "FETCH FLAGS, per message, 100k", 0.20,
             selected("FETCH 1:* (FLAGS)", HUGE, 100_000), ["100k"]),
    Scenario("body", "one body 38 KB, plain", 0.12,
             selected("FETCH ${random:1:100} BODY.PEEK[]", 0, connections=4), ["drops"],
             floor=True),
    Scenario("body-tls", "one body 38 KB, TLS", 0.10,
             selected("FETCH ${random:1:100} BODY.PEEK[]", 0, tls=True, connections=4), ["drops"]),
    Scenario("body-partial", "one body, partial 2 KB", 0.06,
             selected("FETCH ${random:1:100} BODY.PEEK[]<4096.2048>", 0, connections=4), ["drops"],
             floor=True),
    Scenario("store", "STORE one flag, durable; Dovecot's default is not", 0.30,
             store, ["drops"], floor=True),
    Scenario("store-always", "the same; Dovecot with mail_fsync = always", 0.15,
             store, ["drops"], dovecot={"mail_fsync": "always"}),
    Scenario("append-4k", "APPEND 4 KB, 8 connections", 0.08, appends(4096, 8), floor=True),
    Scenario("append-40k", "APPEND 40 KB, 8 connections", 0.08, appends(40_960, 8), floor=True),
    Scenario("append-4k-1", "APPEND 4 KB, 1 connection", 0.12, appends(4096, 1), floor=True),
    Scenario("lmtp-1", "LMTP 10 KB, 1 recipient", 0.05, lmtp(1), floor=True),
    Scenario("lmtp-10", "LMTP 10 KB, per recipient of 10", 0.02, lmtp(10), floor=True),
    Scenario("search-from", "SEARCH FROM, 10k", 0.04, selected('SEARCH FROM "dora"'), ["10k"]),
    Scenario("search-subject", "SEARCH SUBJECT, 10k", 0.04,
             selected('SEARCH SUBJECT "garden"'), ["10k"]),
    Scenario("search-text", "SEARCH TEXT, 10k (420 MB)", 0.12,
             selected('SEARCH TEXT "lighthouse keeper"'), ["10k"]),
    Scenario("search-since", "SEARCH SINCE, 10k", 0.08,
             selected("SEARCH SINCE 1-Jan-2020"), ["10k"]),
    Scenario("sort", "SORT (SUBJECT), 10k", 0.08, selected("SORT (SUBJECT) UTF-8 ALL"), ["10k"],
             needs="SORT"),
    Scenario("thread", "THREAD REFERENCES, 10k", 0.08,
             selected("THREAD REFERENCES UTF-8 ALL"), ["10k"],
             needs="THREAD=REFERENCES"),
    Scenario("mixed", "mixed commands, 50 users", 0.15, mixed, ["drops"], seconds=3),
    Scenario("idle-latency", "new mail until 100 IDLE watchers know, p50", 5000, idle_latency,
             seconds=6, measure="latency"),
    Scenario("idle-memory", "memory of an idle IMAP connection, plain", 4096, idle(False),
             measure="memory"),
    Scenario("idle-memory-tls", "the same over TLS", 20_480, idle(True), measure="memory"),
]
