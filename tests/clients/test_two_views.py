"""Two views of one account: what POP3 shows of it and what IMAP shows, after everything that either
can do. Each test has an account of its own on one server; rules are set for that account alone."""
import imaplib
import itertools
import json
import os
import poplib
import random
import re
import subprocess
import time

import pytest

from conftest import DOMAIN, PASSWORD, PORTS, Server, ok
from test_pop3_clients import Curl, Fetchmail, Getmail, Mpop, folder  # noqa: F401 (a fixture)

DAY = 86400
USERS = [f"user{n}" for n in range(60)]


@pytest.fixture(scope="module")
def server(request):
    s = Server(os.path.join(os.path.dirname(__file__), "..", "..", request.config.getoption("--build")),
               USERS, {("auth", "delay"): "0s..0s", ("store", "undelete"): "14d"})
    s.start()
    s.free = iter(USERS)
    yield s
    status, log = s.stop(), s.log_text()
    check = s.tool("check", "--bodies")
    s.remove()
    assert status == 0, log
    assert check.stdout.rstrip().endswith(": 0 findings"), check.stdout


@pytest.fixture
def alice(server):
    return Account(server, next(server.free))


def eventually(holds, what, seconds=20):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.02)


class Account:
    """One mailbox owner, looked at through both doors. Messages are called by their subjects."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def tool(self, *arguments):
        run = self.server.tool(*arguments)
        assert run.returncode == 0, (arguments, run.stdout, run.stderr)
        return run.stdout

    def set(self, *settings):
        self.tool("user", "set", self.name, *(f"pop3.{setting}" for setting in settings))

    def unset(self, *keys):
        self.tool("user", "unset", self.name, *(f"pop3.{key}" for key in keys))

    def deliver(self, *subjects):
        for subject in subjects:
            self.server.deliver(f"Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\nbody of "
                                f"{subject}\r\n".encode(), self.name)

    # --- POP3

    def login(self, name=None):
        return self.server.pop3(name or self.name)

    def refused(self, name=None):
        with pytest.raises(poplib.error_proto) as refusal:
            self.login(name)
        return refusal.value.args[0].decode()

    def pop3(self, name=None):
        """{subject: UIDL}, in the order of the listing."""
        client = self.login(name)
        uidls = [line.split()[1].decode() for line in client.uidl()[1]]
        listed = {subject_of(client.top(n, 0)[1]): uidl for n, uidl in enumerate(uidls, 1)}
        assert len(listed) == len(uidls) == client.stat()[0]
        client.quit()
        return listed

    def shown(self, name=None):
        return list(self.pop3(name))

    def session(self, retr=(), dele=(), quit=True, name=None):
        """Returns the answer to QUIT."""
        client = self.login(name)
        number = {subject_of(client.top(n, 0)[1]): n for n in range(1, client.stat()[0] + 1)}
        for subject in retr:
            assert b"body of " + subject.encode() in client.retr(number[subject])[1]
        for subject in dele:
            client.dele(number[subject])
        if quit:
            return client.quit().decode()
        client.noop()  # the server hears that all of it has come
        client.close()
        return None

    # --- IMAP

    def imap(self, mailbox="INBOX"):
        """{subject: set of flags}"""
        client = self.server.imap(self.name, None)
        ok(client.select(mailbox, readonly=True))
        found = client.fetch_dict("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        client.logout()
        return {row["BODY"].strip()[9:].decode(): row["FLAGS"] - {"\\Recent"}
                for _, row in sorted(found.items())}

    def do(self, *commands, mailbox="INBOX"):
        """IMAP commands; `NAME` of a message is its UID in the mailbox."""
        client = self.server.imap(self.name, mailbox)
        found = client.fetch_dict("1:*", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
        uid = {row["BODY"].strip()[9:].decode(): str(n) for n, row in found.items()}
        for command, *arguments in commands:
            if command in ("STORE", "MOVE", "COPY", "EXPUNGE"):
                arguments[0] = ",".join(uid[name] for name in arguments[0].split(","))
                ok(client.uid(command, *arguments))
            else:
                ok(getattr(client, command.lower())(*arguments))
        client.logout()

    def read(self, subjects, unread=False):
        self.do(("STORE", subjects, "-FLAGS" if unread else "+FLAGS", r"(\Seen)"))

    def append(self, subject, when, mailbox="INBOX", flags=None):
        client = self.server.imap(self.name, None)
        text = f"Subject: {subject}\r\n\r\nbody of {subject}\r\n".encode()
        ok(client.append(mailbox, flags, imaplib.Time2Internaldate(when), text))
        client.logout()

    # --- the tool

    def preview(self, *options):
        """What is shown, by its UIDL, and {UID: rule} of what is hidden."""
        found = json.loads(self.tool("pop3", "preview", "--json", *options, self.name))
        return ([row["uidl"] for row in found if row["number"]],
                {row["uid"]: row["hidden_by"] for row in found if not row["number"]})


def subject_of(lines):
    return next(line for line in lines if line.startswith(b"Subject: "))[9:].decode()


SEEN = {"\\Seen"}

# --- the owner's own scenes -------------------------------------------------------------------------


def test_what_was_read_on_the_web_is_not_downloaded(alice):
    alice.set("hide_seen=yes")
    alice.deliver("one", "two")
    alice.read("one")
    assert alice.shown() == ["two"]
    assert alice.imap() == {"one": SEEN, "two": set()}
    alice.session(retr=["two"])
    assert alice.imap() == {"one": SEEN, "two": SEEN}
    assert alice.shown() == ["two"], "its own download does not hide it from a second client"
    alice.read("one", unread=True)
    assert alice.shown() == ["one", "two"]


def test_download_and_delete(alice):
    alice.set("delete=expunge", "expire=0")
    alice.deliver("one", "two")
    alice.session(retr=["one"])
    assert alice.shown() == ["two"] and alice.imap() == {"two": set()}
    row, = json.loads(alice.tool("undelete", alice.name, "--dry-run", "--json"))
    assert (row["by"], row["subject"]) == ("pop3", "one")


def test_download_and_keep(alice):
    alice.set("delete=keep")
    alice.deliver("one")
    alice.session(retr=["one"], dele=["one"])
    assert alice.shown() == ["one"] and alice.imap() == {"one": SEEN}


def test_download_and_keep_three_days(make_server):
    server = make_server(["alice"], {("pop3", "expire"): "3", ("pop3", "delete"): "keep"})
    alice = Account(server, "alice")

    def expire(days):
        """The timer's work, `days` after today. The daemon's clock is left alone."""
        assert server.stop() == 0
        run = subprocess.run([os.path.join(server.programs, "tandem"), "-c", server.ini, "expire",
                              "--now", "--json"], env={**os.environ, "TANDEM_CLOCK_SHIFT":
                                                       str(int(days * DAY))},
                             capture_output=True, text=True, timeout=60, check=True)
        server.start()
        return json.loads(run.stdout)["pop3"]

    alice.deliver("one", "two")
    alice.session(retr=["one"], dele=["one"])
    assert alice.shown() == ["one", "two"] and alice.imap() == {"one": SEEN, "two": set()}
    alice.read("two")
    assert expire(2.9) == 0
    assert alice.shown() == ["one", "two"] and alice.imap() == {"one": SEEN, "two": SEEN}
    assert expire(3.1) == 1
    assert alice.shown() == ["two"] and alice.imap() == {"two": SEEN}, "read is not downloaded"
    row, = json.loads(alice.tool("undelete", "alice", "--dry-run", "--json"))
    assert (row["by"], row["subject"]) == ("expiry", "one")


# --- the decision table -----------------------------------------------------------------------------


def test_snapshot(alice):
    alice.deliver("one", "two", "three")
    client = alice.login()
    before = client.list()[1], client.uidl()[1], client.stat()
    alice.deliver("four")
    alice.do(("STORE", "two", "+FLAGS", r"(\Deleted)"), ("EXPUNGE", "two"))
    alice.do(("MOVE", "three", "Archive"))
    assert (client.list()[1], client.uidl()[1], client.stat()) == before
    for number, subject in enumerate(("one", "two", "three"), 1):
        assert subject_of(client.retr(number)[1]) == subject
    client.quit()
    assert alice.shown() == ["one", "four"]


def test_lock(alice):
    client = alice.login()
    for name in (None, f"recent:{alice.name}", f"{alice.name}+Junk"):
        assert alice.refused(name).startswith("-ERR [IN-USE]"), "one session, whatever the view"
    assert alice.imap() == {}
    client.quit()
    assert alice.shown() == []


@pytest.mark.parametrize("policy", ["yes", "no"])
def test_retr_sets_seen(alice, policy):
    alice.set(f"retr_seen={policy}")
    seen = SEEN if policy == "yes" else set()
    alice.deliver("retr", "top", "lost")
    client = alice.login()
    client.top(2, 10)
    client.retr(1)
    assert alice.imap()["retr"] == set(), "not before the end"
    client.quit()
    alice.session(retr=["lost"], quit=False)
    if policy == "yes":
        eventually(lambda: alice.imap()["lost"] == seen, "a lost connection has read, too")
    assert alice.imap()["retr"] == seen and alice.imap()["top"] == set()


def test_a_retr_that_breaks_off_leaves_no_trace(alice):
    text = b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n"
    alice.server.deliver(text + (b"y" * 70 + b"\r\n") * 300_000, alice.name)
    client = alice.login()
    client._putcmd("RETR 1")  # pylint: disable=protected-access
    client._getline()  # pylint: disable=protected-access
    client.close()
    alice.set("hide_downloaded=yes")

    def listed():
        try:
            return alice.shown() == ["big"]
        except poplib.error_proto as e:
            assert b"[IN-USE]" in e.args[0]
            return False
    eventually(listed, "the lock goes with the connection")
    assert alice.imap() == {"big": set()}


def test_hide_seen_after_days(alice):
    alice.set("hide_seen=after:7")
    now = time.time()
    alice.append("old", now - 8 * DAY)
    alice.append("young", now - 6 * DAY)
    assert alice.shown() == ["old", "young"]
    alice.read("old,young")
    assert alice.shown() == ["young"]


def test_hide_downloaded_for_good(alice):
    alice.deliver("one", "two")
    alice.session(retr=["one"])
    assert alice.shown() == ["one", "two"]
    alice.set("hide_downloaded=yes")
    assert alice.shown() == ["two"]
    alice.unset("hide_downloaded")
    alice.read("one", unread=True)
    assert alice.shown() == ["two"], "a client has forgotten it, and would download it again"
    assert alice.shown(f"recent:{alice.name}") == ["one", "two"]
    assert set(alice.imap()) == {"one", "two"}


def test_never_downloaded_mail_may_come_back(alice):
    alice.set("since=2030-01-01")
    alice.deliver("one", "two")
    assert alice.shown() == []
    alice.set("since=2020-01-01")
    assert alice.shown() == ["one", "two"]
    alice.session(retr=["one"])
    alice.set("since=2030-01-01")
    assert alice.shown() == []
    alice.set("since=2020-01-01")
    assert alice.shown() == ["two"], "what was downloaded leaves for good"


def test_newest_is_a_low_water_mark(alice):
    alice.set("max_messages=2")
    alice.deliver("a", "b", "c", "d")
    assert alice.shown() == ["c", "d"]
    alice.session(retr=["c"], dele=["c", "d"])
    assert alice.shown() == [], "deleting does not bring up older mail"
    alice.deliver("e")
    assert alice.shown() == ["e"]
    assert set(alice.imap()) == {"a", "b", "e"}
    alice.set("max_messages=0")
    assert alice.shown() == ["a", "b", "e"], "but a changed decision may"


def test_never_empty_by_mistake(alice):
    alice.deliver("one")
    assert alice.refused(f"{alice.name}+Nowhere").startswith("-ERR [SYS/TEMP]")
    alice.set("folders=Nowhere,Nobody")
    assert alice.refused().startswith("-ERR [SYS/TEMP]")
    alice.set("folders=Nowhere,INBOX")
    assert alice.shown() == ["one"]
    assert alice.shown() == ["one"]
    alice.session()

    def told():
        with open(alice.server.log, encoding="utf-8") as log:
            lines = [line for line in log if f"user={alice.name}@" in line]
        quits = sum("pop3-quit" in line for line in lines)
        return quits == 3 and sum("rule-missing" in line for line in lines)
    eventually(lambda: told() == 1, "a rule without effect is told once")


def test_several_folders(alice):
    alice.set("folders=INBOX,Junk")
    alice.deliver("one", "two")
    alice.do(("MOVE", "two", "Junk"))
    assert alice.shown() == ["one", "two"]
    assert len(set(alice.pop3().values())) == 2
    alice.session(retr=["two"], dele=["two"])
    assert alice.shown() == ["one"] and alice.imap("Junk") == {}
    alice.do(("MOVE", "one", "Junk"))
    assert alice.shown() == ["one"] and alice.shown(f"{alice.name}+Junk") == ["one"]
    assert alice.shown(f"{alice.name}+INBOX") == []


def test_recent(alice):
    alice.set("hide_downloaded=yes", "hide_seen=yes", "max_messages=1")
    now = time.time()
    alice.append("old", now - 31 * DAY)
    alice.append("month", now - 29 * DAY)
    alice.deliver("new")
    alice.session(retr=["new"])
    alice.read("month")
    assert alice.shown() == []
    assert alice.shown(f"recent:{alice.name}") == ["month", "new"]
    assert alice.shown() == [], "and it leaves no trace"


def test_dele_expunges_only_the_copy_in_view(alice):
    alice.deliver("one", "two")
    alice.do(("COPY", "one", "Archive"))
    watcher = alice.server.imap(alice.name)
    watcher.idle()
    assert alice.session(dele=["one"], quit=False) is None
    eventually(lambda: set(alice.imap()) == {"one", "two"}, "no QUIT, no delete")

    def deleted():
        try:
            return alice.session(dele=["one"])
        except poplib.error_proto as e:
            assert b"[IN-USE]" in e.args[0]
            return None
    eventually(deleted, "the lock goes with the connection")
    line = watcher.idle_line()
    while not line.endswith(b"EXPUNGE"):
        line = watcher.idle_line()
    assert line == b"* 1 EXPUNGE"
    watcher.idle_done()
    watcher.logout()
    assert set(alice.imap()) == {"two"} and set(alice.imap("Archive")) == {"one"}


def test_dele_moves_to_the_trash(alice):
    alice.set("delete=trash")
    alice.deliver("one", "two")
    uidl = alice.pop3()["one"]
    alice.session(retr=["one"], dele=["one", "two"])
    assert alice.shown() == [] and alice.imap() == {}
    assert alice.imap("Trash") == {"one": SEEN, "two": set()}
    assert alice.pop3(f"{alice.name}+Trash")["one"] == uidl
    alice.do(("MOVE", "one,two", "INBOX"), mailbox="Trash")
    assert alice.shown() == ["two"], "one was downloaded: it comes back for IMAP alone"
    assert set(alice.imap()) == {"one", "two"}


def test_dele_hides(alice):
    alice.set("delete=hide")
    alice.deliver("one", "two")
    alice.session(dele=["one"])
    assert alice.shown() == ["two"] and alice.imap() == {"one": set(), "two": set()}
    alice.unset("delete")
    assert alice.shown() == ["two"], "for good"


def test_brake(alice):
    alice.set("brake=2,50")
    alice.deliver("a", "b", "c", "d")
    assert alice.session(dele=["a", "b"]) == "+OK bye", "two are not more than two"
    alice.deliver("e", "f", "g", "h", "i")
    assert alice.session(dele=["c", "d", "e"]) == "+OK bye", "three of seven are not half"
    answer = alice.session(dele=["f", "g", "h"])
    assert re.fullmatch(r"\+OK bye; 3 messages were hidden, not removed: .*", answer)
    assert alice.shown() == ["i"] and set(alice.imap()) == {"f", "g", "h", "i"}
    eventually(lambda: "hidden=3 why=brake" in alice.server.log_text(), "and the log says so")


def capa(client, key):
    return client.capa().get(key)


def test_expire_is_announced_truthfully(make_server):
    server = make_server(["alice", "bob"])
    stranger = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
    assert capa(stranger, "EXPIRE") == ["NEVER"]
    Account(server, "bob").set("expire=30")

    def told():
        return capa(stranger, "EXPIRE") == ["30", "USER"]
    eventually(told, "the shortest of all accounts, and that it may differ (RFC 2449 section 6.7)")
    for user, days in (("alice", "NEVER"), ("bob", "30")):
        client = server.pop3(user)
        assert capa(client, "EXPIRE") == [days]
        client.quit()
    stranger.quit()


def test_login_delay(make_server):
    server = make_server(["alice", "bob"], {("auth", "delay"): "0s..0s"})
    alice = Account(server, "alice")
    alice.set("login_delay=3600")
    stranger = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
    eventually(lambda: capa(stranger, "LOGIN-DELAY") == ["3600", "USER"], "RFC 2449 section 6.5")
    client = server.pop3("bob")
    assert capa(client, "LOGIN-DELAY") == ["0"]
    client.quit()
    server.pop3("bob").quit()
    client = server.pop3("alice")
    assert capa(client, "LOGIN-DELAY") == ["3600"]
    client.quit()
    assert alice.refused().startswith("-ERR [LOGIN-DELAY]")
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        stranger.user("alice")
        stranger.pass_("wrong")
    stranger.quit()
    assert alice.imap() == {}


FORMATS = {
    "dovecot": r"[0-9a-f]{16}", "cyrus": r"\d+\.\d+", "courier": r"UID\d+-\d+",
    "uw": r"[0-9a-f]{16}", "uid": r"\d+", "guid": r"[0-9a-f]{32}",
}


def test_uidl_contract(build):
    """Never another one after a rename, a move, a restart, a new default and an undelete."""
    server = Server(build, [])
    try:
        for form in FORMATS:
            server.write_ini({("pop3", "uidl_format"): form})
            server.users_import([form])
        server.write_ini({("pop3", "uidl_format"): "courier"})
        server.start()
        for form, pattern in FORMATS.items():
            user = Account(server, form)
            user.deliver("stays", "moves", "lost")
            user.session(retr=["stays", "moves", "lost"])
            before = user.pop3()
            assert all(re.fullmatch(pattern, uidl) for uidl in before.values()), before
            assert len(set(before.values())) == 3
            client = server.imap(form)
            row = client.fetch_dict("1", "(UID)", uid=True)
            validity = int(ok(client.status("INBOX", "(UIDVALIDITY)"))[0].split()[-1].rstrip(b")"))
            assert row and before["stays"] == {
                "dovecot": f"{1:08x}{validity:08x}", "cyrus": f"{validity}.1",
                "courier": f"UID1-{validity}", "uw": f"{validity:08x}{1:08x}", "uid": "1",
                "guid": before["stays"]}[form]
            client.logout()
            user.do(("STORE", "lost", "+FLAGS", r"(\Deleted)"), ("EXPUNGE", "lost"))
            user.do(("CREATE", "Work"), ("MOVE", "moves", "Work"), ("RENAME", "Work", "Done/2026"))
            user.tool("undelete", form)
            assert server.stop() == 0
            server.start()
            assert user.pop3(f"recent:{form}") == {key: before[key] for key in ("stays", "lost")}
            if form != "uid":  # UIDs of two mailboxes may be the same
                assert user.pop3(f"{form}+Done/2026") == {"moves": before["moves"]}
            user.do(("COPY", "stays", "INBOX"))
            client = user.login(f"recent:{form}")
            uidls = [line.split()[1] for line in client.uidl()[1]]
            client.quit()
            assert len(uidls) == len(set(uidls)) == 3, "a copy has another"
        assert server.tool("check").stdout.rstrip().endswith(": 0 findings")
    finally:
        status = server.stop()
        server.remove()
    assert status == 0


def test_a_domain_says_what_its_accounts_are_given(make_server, tmp_path):
    """The nearest setting holds when an account is made, by hand or from a file, and never later."""
    server = make_server([], {("pop3", "uidl_format"): "courier"})
    users = tmp_path / "users"
    users.write_text(f"carol:{PASSWORD}\ncarol@example.net:{PASSWORD}\n")
    for command in (("domain", "add", "example.net"),
                    ("domain", "set", "example.net", "pop3.uidl_format=cyrus"),
                    ("user", "import", "--scheme", "ssha512", str(users)),
                    ("domain", "unset", "example.net", "pop3.uidl_format")):
        run = server.tool(*command)
        assert run.returncode == 0, run.stdout + run.stderr
    for name, pattern in (("carol", r"UID\d+-\d+"), ("carol@example.net", r"\d+\.\d+")):
        client = server.imap(name)
        ok(client.append("INBOX", "", None, b"Subject: one\r\n\r\n"))
        client.logout()
        pop3 = server.pop3(name)
        assert re.fullmatch(pattern, pop3.uidl()[1][0].split()[1].decode())
        pop3.quit()



def test_an_account_moved_as_a_file(alice, tmp_path):
    """UIDLs, and what is hidden for good, go along (export, import)."""
    alice.set("hide_downloaded=yes", "max_messages=3")
    alice.deliver("a", "b", "c", "d")
    alice.session(retr=["b"])
    alice.deliver("e")
    seen = alice.preview()
    alice.pop3()
    hidden = {1: "max_messages", 2: "for-good"}
    eventually(lambda: alice.preview()[1] == hidden, "b has been downloaded, a is too old")
    assert list(seen[0]) == list(alice.pop3().values())
    alice.tool("account", "export", alice.name, str(tmp_path / "file"))
    alice.tool("account", "import", "--as", f"{alice.name}-moved", str(tmp_path / "file"))
    moved = Account(alice.server, f"{alice.name}-moved")
    assert moved.preview() == (list(alice.pop3().values()), hidden)
    moved.unset("hide_downloaded", "max_messages")
    assert moved.shown() == ["a", "c", "d", "e"]


def test_sizes_agree_to_the_octet(alice):
    alice.deliver("one", "two")
    client = alice.login()
    pop3 = [int(line.split()[1]) for line in client.list()[1]]
    sent = [sum(len(line) + 2 for line in client.retr(n)[1]) for n in (1, 2)]
    client.quit()
    imap = alice.server.imap(alice.name)
    assert pop3 == sent == [row["SIZE"] for _, row in
                            sorted(imap.fetch_dict("1:*", "RFC822.SIZE").items())]
    imap.logout()


# --- section 2.4: faults of others -------------------------------------------------------------------


def test_faults_of_others(alice):
    alice.deliver("one", "two", "three")
    alice.do(("COPY", "one", "Archive"), ("STORE", "three", "+FLAGS", r"(\Deleted)"))
    client = alice.login()
    assert client.top(1, 0)[1][-1] == b"", "TOP n 0 is the header and the blank line"
    client.dele(1)
    assert [line.split()[0] for line in client.list()[1]] == [b"2", b"3"], "the rest keeps its numbers"
    assert client.stat()[0] == 2
    for command in (client.retr, client.dele, client.list, client.uidl):
        with pytest.raises(poplib.error_proto, match="no such message"):
            command(1)
        with pytest.raises(poplib.error_proto):
            command(0)
    assert len(alice.imap()) == 3, "DELE is nothing to IMAP before QUIT"
    alice.deliver("four")
    client.rset()
    assert client.stat()[0] == 3, "RSET does not look again"
    client.dele(1)
    client.quit()
    assert set(alice.imap("Archive")) == {"one"}, "only the copy in view"
    assert alice.imap()["three"] == {"\\Deleted"}, "what IMAP has marked is not POP3's to remove"


# --- preview ---------------------------------------------------------------------------------------


def test_preview_is_what_the_login_shows(alice):
    alice.deliver("a", "b", "c", "d", "e")
    alice.append("f", time.time() - 400 * DAY)
    alice.session(retr=["a"])
    alice.read("b")
    alice.set("hide_seen=yes", "hide_downloaded=yes", "max_messages=2",
              f"since={time.strftime('%Y-%m-%d', time.gmtime(time.time() - 100 * DAY))}")
    hidden = {1: "hide_downloaded", 2: "hide_seen", 3: "max_messages", 6: "since"}
    assert alice.preview() == (list(alice.pop3().values()), {**hidden})
    hidden[1] = "for-good"
    eventually(lambda: alice.preview() == (list(alice.pop3().values()), hidden), "for good by now")
    assert alice.preview("--recent")[0] == list(alice.pop3(f"recent:{alice.name}").values())
    assert alice.preview("--folder", "junk") == ([], {})
    run = alice.server.tool("pop3", "preview", alice.name, "--folder", "Nowhere")
    assert run.returncode == 1 and "the login would fail" in run.stderr
    alice.tool("user", "set", alice.name, "pop3.enabled=no")
    assert "may not use POP3" in alice.server.tool("pop3", "preview", alice.name).stderr


def test_preview_while_the_daemon_is_down(build):
    server = Server(build, ["alice"], {("pop3", "hide_seen"): "yes"})
    try:
        server.start()
        alice = Account(server, "alice")
        alice.deliver("one", "two")
        alice.read("one")
        online = alice.preview()
        assert online[1] == {1: "hide_seen"}
        assert server.stop() == 0
        assert alice.preview() == online
    finally:
        server.stop()
        server.remove()


def test_settings_that_contradict_each_other(alice):
    for settings in (("folders=INBOX,Trash", "delete=trash"), ("expire=0", "delete=keep"),
                     ("folders=INBOX,Junk", "uidl_format=uid")):
        run = alice.server.tool("user", "set", alice.name, *(f"pop3.{one}" for one in settings))
        assert run.returncode == 2 and all(f"pop3.{one.split('=')[0]}" in run.stderr
                                           for one in settings), run.stderr


# --- a client with Thunderbird's memory ----------------------------------------------------------------


class Thunderbird:
    """Leaves mail on the server. STAT 0 clears its memory; after each listing it forgets each UIDL
    that was not in it; what it has no UIDL of it downloads."""

    def __init__(self, account):
        self.account, self.memory, self.got = account, set(), {}

    def poll(self):
        try:
            client = self.account.login()
        except poplib.error_proto as e:
            assert b"[SYS/TEMP]" in e.args[0]
            return
        client.capa()
        if client.stat()[0] == 0:
            self.memory.clear()
        client.list()
        listed = {line.split()[1]: int(line.split()[0]) for line in client.uidl()[1]}
        self.memory &= set(listed)
        for uidl in set(listed) - self.memory:
            subject = subject_of(client.retr(listed[uidl])[1])
            self.got[subject] = self.got.get(subject, 0) + 1
            assert self.got[subject] == 1, f"{subject} was downloaded twice"
            self.memory.add(uidl)
        client.quit()


def test_thunderbird_downloads_nothing_twice(alice, show):
    seed = random.randrange(1 << 32)
    rng, serial = random.Random(seed), itertools.count()
    client, others = Thunderbird(alice), ["Archive", "Junk"]
    alice.set("folders=INBOX,Junk")

    def some(mailbox):
        there = sorted(alice.imap(mailbox))
        return ",".join(rng.sample(there, min(len(there), 3)))

    def change(mailbox, *command):
        names = some(mailbox)
        if names:
            alice.do((command[0], names, *command[1:]), mailbox=mailbox)

    def lose_and_find():
        names = some("INBOX")
        if names:
            alice.do(("STORE", names, "+FLAGS", r"(\Deleted)"), ("EXPUNGE", names))
            if rng.random() < 0.5:
                client.poll()
            alice.tool("undelete", alice.name)

    def rename():
        old = rng.choice(others[2:] + ["INBOX"])
        new = f"Box{next(serial)}"
        alice.do(("RENAME", old, new))
        others.append(new)
        if old in others:
            others.remove(old)

    def arrive():
        alice.deliver(*(f"m{next(serial)}" for _ in range(3)))

    arrive()
    events = [
        arrive, arrive, arrive,
        lambda: change("INBOX", "STORE", "+FLAGS", r"(\Seen)"),
        lambda: change("INBOX", "STORE", "-FLAGS", r"(\Seen)"),
        lambda: change("INBOX", "MOVE", rng.choice(others)),
        lambda: change(rng.choice(others), "MOVE", "INBOX"),
        lambda: alice.set(f"hide_seen={rng.choice(['yes', 'no', 'after:0'])}"),
        lambda: alice.set(f"hide_downloaded={rng.choice(['yes', 'no'])}"),
        lambda: alice.set(f"max_messages={rng.choice([0, 2, 5])}"),
        lambda: alice.set(f"folders={rng.choice(['INBOX,Junk', 'INBOX', 'Nowhere', 'Junk,INBOX'])}"),
        lose_and_find,
        rename,
    ]
    try:
        for _ in range(80):
            rng.choice(events)()
            if rng.random() < 0.6:
                client.poll()
        for setting in ("hide_seen=no", "hide_downloaded=no", "max_messages=0", "folders=INBOX,Junk"):
            alice.set(setting)
            client.poll()
    except AssertionError as e:
        raise AssertionError(f"seed {seed}: {e}") from e
    there = set(alice.imap("INBOX")) | set(alice.imap("Junk"))
    assert there <= set(client.got), "and in the end it has everything"
    show(f"{len(client.got)} messages, none twice")


# --- real clients against each policy --------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["expunge", "trash", "hide", "keep"])
@pytest.mark.parametrize("kind", [Curl, Fetchmail, Getmail, Mpop], ids=lambda kind: kind.__name__)
def test_clients_that_delete(alice, folder, kind, policy):  # noqa: F811
    # What was deleted in vain they would fetch again; curl knows its files, and has a session for each
    # command, so that a message hidden by its own download could not be deleted.
    hides = policy == "keep" and kind is not Curl
    alice.set(f"delete={policy}", f"hide_downloaded={'yes' if hides else 'no'}")
    alice.deliver("one", "two")
    client = kind(alice.server, f"{folder}/mail", alice.name, "plain", keep=False)
    assert client.fetch() == 2
    assert client.fetch() == 0
    assert alice.shown() == ([] if hides or policy != "keep" else ["one", "two"])
    assert len(alice.imap()) == (2 if policy in ("hide", "keep") else 0)
    assert len(alice.imap("Trash")) == (2 if policy == "trash" else 0)
    alice.deliver("three")
    assert client.fetch() == 1


@pytest.mark.parametrize("kind", [Curl, Fetchmail, Getmail, Mpop], ids=lambda kind: kind.__name__)
def test_clients_that_keep(alice, folder, kind):  # noqa: F811
    alice.set("hide_seen=yes")
    alice.deliver("read", "one", "two")
    alice.read("read")
    client = kind(alice.server, f"{folder}/mail", alice.name, "plain", keep=True)
    assert client.fetch() == 2
    alice.do(("MOVE", "one", "Archive"))
    alice.read("two", unread=True)
    assert client.fetch() == 0
    alice.do(("MOVE", "one", "INBOX"), mailbox="Archive")
    assert client.fetch() == 0
    assert len(alice.imap()) == 3
