"""What was lost comes back, by the admin tool, while the daemon runs and while it is down."""
import json
import os
import subprocess
import time

import pytest

from conftest import DOMAIN, ok


def message(n):
    return (f"Message-ID: <m{n}@example.net>\r\nFrom: a@example.net\r\nSubject: number {n}\r\n"
            f"\r\nThis is message {n}.\r\n").encode()


class Pop3Memory:
    """A client that leaves mail on the server and downloads what it has no UIDL of. As
    Thunderbird does, it forgets each UIDL that is no longer listed."""

    def __init__(self, server, user):
        self.server, self.user, self.known, self.got = server, user, set(), []

    def poll(self, delete=()):
        """Subjects downloaded this time."""
        client = self.server.pop3(self.user)
        listed = {line.split()[1]: int(line.split()[0]) for line in client.uidl()[1]}
        new = []
        for uidl in sorted(set(listed) - self.known, key=listed.get):
            lines = client.retr(listed[uidl])[1]
            new.append(next(x for x in lines if x.startswith(b"Subject:")).decode()[9:])
        for number in list(listed.values()) if delete else ():
            if any(f"Subject: {subject}".encode() in client.top(number, 0)[1]
                   for subject in delete):
                client.dele(number)
        client.quit()
        self.known |= set(listed)
        self.got += new
        return new


def tool(server, *arguments, status=0):
    run = server.tool(*arguments)
    assert run.returncode == status, run.stdout + run.stderr
    return run.stdout if status == 0 else run.stderr


def rows(server, *arguments):
    return json.loads(tool(server, *arguments, "--json"))


def lost(server, *arguments):
    return [(row["by"], row["mailbox"], row["subject"]) for row in
            rows(server, "undelete", "alice", "--dry-run", *arguments)]


def subjects(server, mailbox="INBOX"):
    client = server.imap("alice", mailbox)
    found = client.fetch_dict("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)] FLAGS)")
    client.logout()
    return {uid: value["BODY"].strip().decode()[9:] for uid, value in sorted(found.items())}


@pytest.fixture(params=["up", "down"])
def undelete(request):
    """undelete(server, *arguments): rows of what was brought back."""
    def run(server, *arguments):
        if request.param == "down":
            assert server.stop() == 0
        found = rows(server, "undelete", "alice", *arguments)
        assert tool(server, "check", "--bodies").rstrip().endswith(": 0 findings")
        if request.param == "down":
            server.start()
        return found
    return run


def test_an_expunge_by_imap(make_server, undelete):
    server = make_server(["alice"])
    for n in range(3):
        server.deliver(message(n), "alice")
    client = server.imap("alice")
    ok(client.store("2", "+FLAGS", "(\\Flagged $Label1)"))
    before = client.fetch("2", "(INTERNALDATE)")[1]
    ok(client.store("2", "+FLAGS", "\\Deleted"))
    ok(client.expunge())
    assert lost(server) == [("imap", "INBOX", "number 1")]
    assert lost(server, "--by", "pop3") == []
    client.logout()
    row, = undelete(server, "--by", "imap", "--since", "1h")
    assert (row["restored_to"], row["uid"], row["new_uid"]) == ("INBOX", 2, 4)
    assert subjects(server) == {1: "number 0", 3: "number 2", 4: "number 1"}
    client = server.imap("alice")
    flags = client.fetch_dict("4", "(FLAGS)")[4]["FLAGS"]
    assert {"\\Flagged", "$Label1"} <= flags and "\\Deleted" not in flags
    after = client.uid("FETCH", "4", "(INTERNALDATE)")[1]
    assert before[0].split(b"INTERNALDATE ")[1][:28] == after[0].split(b"INTERNALDATE ")[1][:28]
    client.logout()


def test_who_is_in_idle_hears_of_it(make_server):
    server = make_server(["alice"])
    server.deliver(message(0), "alice")
    client = server.imap("alice")
    ok(client.store("1", "+FLAGS", "\\Deleted"))
    ok(client.expunge())
    client.idle()
    tool(server, "undelete", "alice")
    assert client.idle_line() == b"* 1 EXISTS"
    client.idle_done()
    client.logout()


def test_a_pop3_client_downloads_nothing_twice(make_server, undelete):
    server = make_server(["alice"])
    for n in range(4):
        server.deliver(message(n), "alice")
    client = Pop3Memory(server, "alice")
    assert len(client.poll()) == 4
    client.poll(delete=["number 1", "number 2"])
    assert lost(server, "--by", "pop3") == [("pop3", "INBOX", "number 1"),
                                            ("pop3", "INBOX", "number 2")]
    assert len(undelete(server, "--by", "pop3", "--message-id", "m1@example.net")) == 1
    assert client.poll() == []
    undelete(server)
    assert client.poll() == []
    assert sorted(subjects(server).values()) == [f"number {n}" for n in range(4)]
    server.deliver(message(9), "alice")
    assert client.poll() == ["number 9"]


def test_a_deleted_mailbox(make_server, undelete):
    server = make_server(["alice"])
    client = server.imap("alice", None)
    for name in ("Work", "Work/2026"):
        ok(client.create(name))
    for n in range(3):
        ok(client.append("Work/2026", "\\Seen", None, message(n)))
    status = client.status("Work/2026", "(UIDVALIDITY UIDNEXT MESSAGES)")[1]
    ok(client.delete("Work/2026"))
    ok(client.create("Work/2026"))
    client.logout()
    assert lost(server, "--mailbox", "Work/2026") == [("mailbox", "Work/2026", "")]
    assert lost(server, "--message-id", "<m2@example.net>") == [
        ("mailbox", "Work/2026", "number 2")]
    row, = undelete(server, "--message-id", "<m2@example.net>")  # one of its messages
    assert (row["restored_to"], row["new_uid"]) == ("INBOX", 1)
    assert subjects(server) == {1: "number 2"}
    row, = undelete(server, "--mailbox", "Work/2026")
    assert (row["restored_to"], row["messages"]) == ("Work/2026-restored", 2)
    assert subjects(server, "Work/2026") == {}
    assert subjects(server, "Work/2026-restored") == {1: "number 0", 2: "number 1"}
    client = server.imap("alice", None)
    again = client.status("Work/2026-restored", "(UIDVALIDITY UIDNEXT MESSAGES)")[1]
    assert again[0].replace(b"-restored", b"").replace(b"MESSAGES 2", b"MESSAGES 3") == status[0]
    client.logout()


def test_the_user_brings_it_back_himself(make_server):
    server = make_server(["alice"], {("imap", "undelete_tree"): "yes"})
    for n in range(3):
        server.deliver(message(n), "alice")
    pop3 = Pop3Memory(server, "alice")
    assert len(pop3.poll()) == 3
    pop3.poll(delete=["number 0", "number 2"])
    client = server.imap("alice", None)
    ok(client.select("Recoverable/INBOX", readonly=True))
    assert client.fetch_dict("1:*", "(RFC822.SIZE)").keys() == {1, 3}
    ok(client.uid("MOVE", "1", "INBOX"))
    ok(client.uid("COPY", "3", "Archive"))
    ok(client.unselect())
    assert ok(client.list('""', "Recoverable*")) == [None]
    client.logout()
    assert subjects(server) == {2: "number 1", 4: "number 0"}
    assert subjects(server, "Archive") == {1: "number 2"}
    assert pop3.poll() == []
    assert why(server, "1", "--mailbox", "Archive")[-1] == ("restored", "Archive", 1, "imap")
    assert tool(server, "check", "--bodies").rstrip().endswith(": 0 findings")


def test_quota_is_checked_before_anything_comes_back(make_server, undelete):
    server = make_server(["alice"])
    for n in range(3):
        server.deliver(message(n), "alice")
    client = server.imap("alice")
    ok(client.store("1:3", "+FLAGS", "\\Deleted"))
    ok(client.expunge())
    client.logout()
    tool(server, "user", "set", "alice", "store.quota_messages=2")
    assert "the quota has no room" in tool(server, "undelete", "alice", status=1)
    assert subjects(server) == {}
    assert len(undelete(server, "--message-id", "m1@example.net")) == 1
    tool(server, "user", "unset", "alice", "store.quota_messages")
    assert len(undelete(server)) == 2
    assert "holds nothing" in tool(server, "undelete", "alice", status=1)


def test_wrong_use(make_server):
    server = make_server(["alice"])
    assert "write pop3, imap or expiry" in tool(server, "undelete", "alice", "--by", "me", status=2)
    assert "'yesterday' is no time" in tool(server, "undelete", "alice", "--since", "yesterday",
                                            status=2)
    assert "no Message-ID" in tool(server, "undelete", "alice", "--message-id", "", status=2)
    assert "no Message-ID" in tool(server, "undelete", "alice", "--message-id", "<>", status=1)
    assert "there is no such account" in tool(server, "undelete", "zoe", status=1)
    for since in ("2026-11-22", "2026-11-22T07:00:00Z", "2026-11-22T07:00", "90m", "1w"):
        assert rows(server, "undelete", "alice", "--dry-run", "--since", since) == []


# --- the journal -----------------------------------------------------------------------------------


def why(server, *arguments):
    return [(row["what"], row["mailbox"], row["uid"], row["protocol"]) for row in
            rows(server, "why", "alice", *arguments)]


@pytest.fixture(params=["up", "down"])
def settled(request):
    """settled(server): the daemon is up or down, and the sessions before have ended."""
    def run(server):
        if request.param == "down":
            assert server.stop() == 0
    return run


def test_why_tells_the_life_of_a_message(make_server, settled):
    server = make_server(["alice", "bob"])
    server.deliver(message(0), "alice", "bob")
    client = server.imap("alice")
    ok(client.xatom("ID", '("name" "Mail\x1b" "version" "3.1")'))
    ok(client.store("1", "+FLAGS", "\\Seen"))
    ok(client.create("Work"))
    ok(client.uid("MOVE", "1", "Work"))
    ok(client.select("Work"))
    ok(client.copy("1", "Archive"))
    ok(client.store("1", "+FLAGS", "\\Deleted"))
    ok(client.expunge())
    client.logout()
    tool(server, "undelete", "alice")
    life = [("arrived", "INBOX", 1, "lmtp"), ("flags", "INBOX", 1, "imap"),
            ("moved", "Work", 1, "imap"), ("copied", "Archive", 1, "imap"),
            ("flags", "Work", 1, "imap"), ("expunged", "Work", 1, "imap"),
            ("restored", "Work", 2, "tandem")]
    settled(server)
    assert why(server, "1") == why(server, "1", "--mailbox", "Work") == life
    assert why(server, "2", "--mailbox=Work") == life
    copy = life[:4]
    assert why(server, "1", "--mailbox", "Archive") == copy
    assert why(server, "--message-id", "<m0@example.net>") in (copy + life, life + copy)
    told = rows(server, "why", "alice", "2", "--mailbox", "Work")
    assert told[0]["recipient"] == f"alice@{DOMAIN}"  # of several: it is in no header
    assert told[0]["address"] == "127.0.0.1"
    assert told[1]["detail"] == "+\\Seen"
    assert told[2]["client"].startswith("Mail") and told[2]["client"].endswith("3.1")
    assert (told[2]["from_mailbox"], told[2]["from_uid"]) == ("INBOX", 1)
    assert told[2]["session"] == told[5]["session"] and told[6]["session"] is None
    assert "\x1b" not in tool(server, "why", "alice", "1")
    assert "nothing is known" in tool(server, "why", "alice", "7", status=1)
    assert "has no mailbox 'No'" in tool(server, "why", "alice", "7", "--mailbox", "No", status=1)
    assert tool(server, "check").rstrip().endswith(": 0 findings")


def test_why_tells_what_pop3_did(make_server, settled):
    server = make_server(["alice"])
    server.deliver(message(0), "alice")
    client = Pop3Memory(server, "alice")
    client.poll()
    client.poll(delete=["number 0"])
    settled(server)
    assert why(server, "1") == [("arrived", "INBOX", 1, "lmtp"), ("downloaded", "INBOX", 1, "pop3"),
                                ("expunged", "INBOX", 1, "pop3")]


def test_journal_tells_of_the_account(make_server, settled):
    server = make_server(["alice"])
    for n in range(5):
        server.deliver(message(n), "alice")
    client = server.imap("alice")
    ok(client.create("New"))
    ok(client.store("1:4", "+FLAGS", "(\\Flagged word)"))
    ok(client.delete("New"))
    client.logout()
    settled(server)
    told = rows(server, "journal", "alice")
    assert [row["what"] for row in told] == ["arrived"] * 5 + [
        "mailbox-created", "flags", "mailbox-deleted"]
    assert [row["seq"] for row in told] == list(range(1, 9))
    assert (told[6]["uids"], told[6]["messages"]) == ("1:4", 4)
    assert told[6]["detail"] == "+\\Flagged +keywords"
    assert told[7]["mailbox"] == "New"
    assert rows(server, "journal", "alice", "--limit", "2") == told[-2:]
    assert rows(server, "journal", "alice", "--since", "1h") == told
    assert rows(server, "journal", "alice", "--since", "2100-01-01") == []


# --- expiry ------------------------------------------------------------------------------------------


def expired(server, *arguments):
    found = rows(server, "expire", "--now", *arguments)
    return {key: found[key] for key in ("pop3", "autoexpunge", "undelete")}


def test_trash_expires_and_comes_back(make_server, undelete):
    server = make_server(["alice", "bob"], {("store", "autoexpunge"): "Trash:1s, Junk:30d"})
    client = server.imap("alice", None)
    for n in range(3):
        ok(client.append(("Trash", "Junk", "INBOX")[n], "\\Seen", None, message(n)))
    client.logout()
    time.sleep(2)  # as long as the age of the setting, and a second
    assert expired(server, "bob") == {"pop3": 0, "autoexpunge": 0, "undelete": 0}
    assert expired(server) == {"pop3": 0, "autoexpunge": 1, "undelete": 0}
    assert subjects(server, "Trash") == {} and subjects(server, "Junk") == {1: "number 1"}
    assert server.logged("expire: why=autoexpunge n=1 bytes=")
    assert 'tandem_expired_total{why="autoexpunge"} 1' in tool(server, "stats", "--openmetrics")
    assert lost(server, "--by", "expiry") == [("expiry", "Trash", "number 0")]
    assert [row["detail"] for row in rows(server, "why", "alice", "1", "--mailbox", "Trash")] == [
        None, "store.autoexpunge"]
    row, = undelete(server, "--by", "expiry")
    assert (row["restored_to"], row["new_uid"]) == ("Trash", 2)


def test_pop3_mail_expires_three_days_after_its_download(make_server):
    server = make_server(["alice"], {("pop3", "expire"): "3"})
    for n in range(2):
        server.deliver(message(n), "alice")
    client = Pop3Memory(server, "alice")
    assert len(client.poll()) == 2
    server.deliver(message(2), "alice")  # it is not downloaded
    assert expired(server, "alice")["pop3"] == 0
    assert server.stop() == 0
    later = {"TANDEM_CLOCK_SHIFT": str(3 * 86400 + 60)}
    run = subprocess.run([os.path.join(server.programs, "tandem"), "-c", server.ini, "expire",
                          "--now", "--json"], env=os.environ | later, capture_output=True,
                         text=True, timeout=60, check=True)
    assert json.loads(run.stdout)["pop3"] == 2
    server.start()
    assert subjects(server) == {3: "number 2"}
    assert lost(server, "--by", "expiry") == [("expiry", "INBOX", "number 0"),
                                              ("expiry", "INBOX", "number 1")]
    assert why(server, "1")[-1] == ("expired", "INBOX", 1, "timer")
    tool(server, "undelete", "alice", "--by", "expiry")
    assert client.poll() == ["number 2"]
    assert expired(server) == {"pop3": 0, "autoexpunge": 0, "undelete": 0}
    assert tool(server, "check", "--bodies").rstrip().endswith(": 0 findings")


def test_expire_wants_to_be_asked(make_server):
    server = make_server(["alice"])
    assert "--now" in tool(server, "expire", status=2)
