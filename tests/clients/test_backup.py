"""A backup under load, the store wiped, the backup restored: what was acknowledged before is there,
octet by octet and flag by flag, and no UID that a client has seen later is given to another mail."""
import imaplib
import os
import re
import threading

import pytest

from conftest import DOMAIN, ok
from test_admin import done, rows

MESSAGES_BEFORE = 60
MESSAGES_AFTER = 20


def message_of(n):
    return (f"Subject: message {n}\r\nMessage-ID: <{n}@backup.example>\r\n\r\n" +
            f"line of {n}\r\n" * (n * 37 % 900)).encode()


def number_of(octets):
    return int(re.search(rb"^Subject: message (\d+)\r$", octets, re.M).group(1))


class Load(threading.Thread):
    """Delivers message after message and notes what was acknowledged."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.acknowledged, self.wrong = server, 0, None
        self.changed, self.ending = threading.Condition(), False

    def run(self):
        try:
            lmtp = self.server.lmtp()
            while not self.ending:
                answers = lmtp.deliver(message_of(self.acknowledged), "alice")
                assert [code for code, _ in answers.values()] == [250], answers
                with self.changed:
                    self.acknowledged += 1
                    self.changed.notify()
            lmtp.quit()
        except Exception as e:
            self.wrong = e
            with self.changed:
                self.changed.notify()

    def await_more(self, n):
        with self.changed:
            target = self.acknowledged + n
            while self.acknowledged < target and not self.wrong:
                self.changed.wait(30)
        assert not self.wrong, self.wrong
        return self.acknowledged

    def end(self):
        self.ending = True
        self.join(30)
        assert not self.wrong, self.wrong


def mailbox_of(server):
    """UIDVALIDITY, and of each message number: UID, flags, octets."""
    imap = server.imap("alice")
    messages = {}
    for uid, data in imap.fetch_dict("1:*", "(FLAGS BODY.PEEK[])").items():
        octets = data["BODY"]
        messages[number_of(octets)] = uid, data["FLAGS"] - {r"\Recent"}, octets
    validity = int(imap.response("UIDVALIDITY")[1][0])
    imap.logout()
    return validity, messages


def good(run):
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("online", [True, False])
def test_what_was_acknowledged_comes_back_and_no_uid_twice(make_server, tmp_path, online):
    server = make_server(["alice", "bob"])
    file = str(tmp_path / "backup")
    load = Load(server)
    load.start()
    load.await_more(MESSAGES_BEFORE)
    imap = server.imap("alice")
    ok(imap.uid("STORE", "1:20", "+FLAGS", r"(\Seen $Marked)"))
    ok(imap.uid("STORE", "21:25", "+FLAGS", r"(\Deleted)"))
    ok(imap.expunge())
    imap.logout()
    if online:
        least = load.acknowledged
        good(server.tool("backup", file))
        load.await_more(MESSAGES_AFTER)
        load.end()
    else:
        load.end()
        least = load.acknowledged
        assert server.stop() == 0
        good(server.tool("backup", file))
        server.start()
        server.deliver(message_of(least), "alice")
    validity, newest = mailbox_of(server)
    assert server.stop() == 0

    server.empty_store()
    good(server.tool("restore", file))
    server.start()
    restored_validity, restored = mailbox_of(server)
    assert restored_validity == validity
    assert set(range(least)) - set(range(20, 25)) <= set(restored)
    assert not set(restored) & set(range(20, 25))
    for n, (uid, flags, octets) in restored.items():
        assert (uid, flags, octets) == newest[n]
        assert octets.endswith(message_of(n))
        assert flags == ({r"\Seen", "$Marked"} if n < 20 else set())

    highest = max(uid for uid, _, _ in newest.values())
    server.deliver(message_of(10_000), "alice")
    assert mailbox_of(server)[1][10_000][0] > highest
    assert "0 findings" in good(server.tool("check", "--bodies"))


def test_in_place_of_what_is_there_only_when_asked(make_server, tmp_path):
    server = make_server(["alice"])
    file = tmp_path / "backup"
    server.deliver(message_of(1), "alice")
    good(server.tool("backup", str(file)))
    server.deliver(message_of(2), "alice")
    highest = mailbox_of(server)[1][2][0]

    run = server.tool("restore", str(file))
    assert (run.returncode, run.stderr) == (1, "tandem: a daemon serves this store: stop it first\n")
    server.stop()
    run = server.tool("restore", str(file))
    assert run.returncode == 1
    assert run.stderr.endswith("/catalog.mdb is there already: say --replace to lose it, or restore "
                               "into another [store] path\n"), run.stderr
    cut = tmp_path / "cut"
    cut.write_bytes(file.read_bytes()[:-100])
    run = server.tool("restore", "--replace", str(cut))
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(r"tandem: nothing was restored: it is damaged or cut off at block \d+; use "
                        r"another copy\n", run.stderr), run.stderr
    run = server.tool("restore", "--replace", server.ini)
    assert run.stderr == "tandem: nothing was restored: it is no 'backup' file of Tandem\n"
    server.start()
    assert set(mailbox_of(server)[1]) == {1, 2}
    server.stop()
    good(server.tool("restore", "--replace", str(file)))
    server.start()
    server.deliver(message_of(3), "alice")
    messages = mailbox_of(server)[1]
    assert set(messages) == {1, 3}
    assert messages[3][0] > highest


def test_an_account_newer_than_its_shard_is_made_anew(make_server, tmp_path):
    """Its password and settings are the catalog's; nobody can bring its mail back."""
    file = str(tmp_path / "backup")
    server = make_server([], {("store", "shards"): 2, ("auth", "delay"): "0s..0s"})
    good(server.tool("backup", file))
    server.users_import(["bob", "carol"])
    server.deliver(message_of(1), "bob", "carol")
    pop3 = server.pop3("bob")
    seen = pop3.uidl()[1]
    pop3.quit()
    shards = {name: rows(server, "user", "show", name)["shard"] for name in ("bob", "carol")}
    assert set(shards.values()) == {0, 1}
    server.stop()
    good(server.tool("restore", "--replace", "--shard", str(shards["bob"]), file))
    server.start()

    check = server.tool("check")
    assert check.returncode == 1
    assert (f"catalog: login 'bob@{DOMAIN}' leads to account "
            f"{rows(server, 'user', 'show', 'bob')['account']}, which shard {shards['bob']} does not "
            f"have: 'tandem user repair bob@{DOMAIN}' makes it anew, empty\n") in check.stdout
    with server.lmtp() as lmtp:
        assert {code // 100 for code, _ in lmtp.deliver(message_of(2), "bob").values()} == {4}
    with pytest.raises(imaplib.IMAP4.error):
        server.imap("bob")

    assert done(server, "user", "repair", "bob", "carol") == [
        f"bob@{DOMAIN}: made anew, empty", f"carol@{DOMAIN}: nothing is missing"]
    assert done(server, "user", "repair", "bob") == [f"bob@{DOMAIN}: nothing is missing"]
    imap = server.imap("bob")
    assert ok(imap.search(None, "ALL")) == [b""]
    assert len(ok(imap.list())) == 6
    imap.logout()
    server.deliver(message_of(3), "bob", "carol")
    pop3 = server.pop3("bob")
    assert len(pop3.uidl()[1]) == 1 and pop3.uidl()[1] != seen
    pop3.quit()
    imap = server.imap("bob")
    assert min(imap.fetch_dict("1:*", "(UID)")) > 1 << 20
    imap.logout()
    assert "0 findings" in good(server.tool("check", "--bodies"))
    assert server.stop() == 0
    good(server.tool("restore", "--replace", "--shard", str(shards["bob"]), file))
    assert good(server.tool("user", "repair", "bob")) == f"bob@{DOMAIN}: made anew, empty\n"
    server.start()
    server.deliver(message_of(4), "bob")


def test_a_backup_that_cannot_be_written_leaves_no_file(make_server, tmp_path):
    server = make_server(["alice"])
    run = server.tool("backup", str(tmp_path / "there" / "backup"))
    assert run.returncode == 1
    assert "No such file or directory" in run.stderr and run.stderr.count("\n") == 1
    run = server.tool("backup")
    assert (run.returncode, run.stderr) == (2, "tandem: name a file; '-' is standard output\n")
    run = server.tool("backup", "/dev/full")  # has no file beside it
    assert run.returncode == 1 and run.stderr.count("\n") == 1
    assert not os.path.exists("/dev/full.part")
    assert os.listdir(tmp_path) == []


def test_an_account_moves_as_a_file(make_server, tmp_path):
    """With its password, what it has and what can be undeleted; into another store too."""
    server, other = make_server(["alice", "bob"]), make_server([])
    file = str(tmp_path / "alice.account")
    for n in range(30):
        server.deliver(message_of(n), "alice", "bob")
    imap = server.imap("alice")
    ok(imap.create("Work/2026"))
    ok(imap.uid("COPY", "1:5", "Work/2026"))
    ok(imap.uid("STORE", "3:9", "+FLAGS", r"(\Seen $Marked)"))
    ok(imap.uid("STORE", "10", "+FLAGS", r"(\Deleted)"))
    ok(imap.expunge())
    imap.logout()
    before = mailbox_of(server)
    pop3 = server.pop3("alice")
    uidls = pop3.uidl()[1]
    pop3.quit()

    good(server.tool("account", "export", "alice", file))
    assert good(other.tool("account", "import", file)) == "imported alice@example.org: 35 messages\n"
    assert mailbox_of(other) == before
    pop3 = other.pop3("alice")
    assert pop3.uidl()[1] == uidls
    pop3.quit()
    imap = other.imap("alice", "Work/2026")
    assert len(imap.fetch_dict("1:*", "(FLAGS)")) == 5
    imap.logout()
    assert "0 findings" in good(other.tool("check", "--bodies"))

    run = server.tool("account", "import", file)
    assert (run.returncode, run.stderr) == (
        1, "tandem: nothing was imported: there is an account or alias alice@example.org already\n")
    server.stop()
    good(server.tool("account", "import", "--as", "alice2", file))
    good(server.tool("account", "export", "alice2", file))
    server.start()
    assert mailbox_of(server) == before
    run = server.tool("account", "import", "--as", "x@elsewhere.example", file)
    assert run.stderr == ("tandem: nothing was imported: x@elsewhere.example: there is no such domain "
                          "here; add it first\n")
    assert "0 findings" in good(server.tool("check", "--bodies"))
