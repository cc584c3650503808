"""The admin tool: every verb while the daemon is down and while it is up, with the same words."""
import imaplib
import json
import os
import poplib
import subprocess

import pytest

from conftest import DOMAIN, PORTS, Server, service_user


@pytest.fixture(params=["down", "up"])
def server(request, build):
    s = Server(build, ["alice", "bob"])
    if request.param == "up":
        s.start()
    yield s
    status = s.stop()
    log = s.log_text() if os.path.exists(s.log) else ""
    foreign = not_ours(s.store)
    s.remove()
    assert status == 0, log
    assert not foreign, "files that the daemon's user does not own"


def not_ours(directory):
    owner = service_user().pw_uid if os.geteuid() == 0 else os.geteuid()
    found = []
    for where, dirs, files in os.walk(directory):
        found += [name for name in dirs + files
                  if os.lstat(os.path.join(where, name)).st_uid != owner]
    return found


def tool(server, *arguments, stdin=""):
    return subprocess.run([os.path.join(server.programs, "tandem"), "-c", server.ini, *arguments],
                          input=stdin, capture_output=True, text=True, timeout=120, check=False)


def done(server, *arguments, stdin=""):
    run = tool(server, *arguments, stdin=stdin)
    assert (run.returncode, run.stderr) == (0, ""), run.stdout + run.stderr
    return run.stdout.splitlines()


def rows(server, *arguments, stdin=""):
    """What --json prints: of a table the rows, of a record the one."""
    return json.loads("\n".join(done(server, *arguments, "--json", stdin=stdin)))


def logins(server):
    return [row["login"] for row in rows(server, "user", "list")]


def failed(server, *arguments, stdin=""):
    """Exit status and the complaint."""
    run = tool(server, *arguments, stdin=stdin)
    assert run.returncode
    return run.returncode, run.stderr.removeprefix("tandem: ").rstrip("\n")


class Serving:
    """The daemon is up inside, whether it was before or not."""

    def __init__(self, server):
        self.server = server
        self.was_up = server.process is not None

    def __enter__(self):
        if not self.was_up:
            self.server.start()
        return self.server

    def __exit__(self, *_):
        if not self.was_up:
            assert self.server.stop() == 0


def login(server, user, password):
    """None, or what the server says instead."""
    with Serving(server) as s:
        client = imaplib.IMAP4(s.address, PORTS["imap"])
        try:
            client.login(user, password)
            return None
        except imaplib.IMAP4.error as e:
            return str(e)
        finally:
            client.shutdown()


def subjects(server, user, mailbox="INBOX"):
    with Serving(server) as s:
        client = s.imap(user, mailbox)
        found = client.fetch_dict("1:*", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
        client.logout()
        return [value["BODY"].strip().decode() for _, value in sorted(found.items())]


def test_accounts_come_and_go(server):
    assert logins(server) == [f"alice@{DOMAIN}", f"bob@{DOMAIN}"]
    assert done(server, "user", "add", "Carol", "--password-stdin", stdin="s3cret!\n") == []
    assert logins(server)[-1] == f"carol@{DOMAIN}"
    assert login(server, "carol", "s3cret!") is None
    assert failed(server, "user", "add", "carol", "--password-stdin", stdin="x\n") == (
        1, f"carol@{DOMAIN}: the account exists already")
    done(server, "user", "delete", "carol")
    assert logins(server) == [f"alice@{DOMAIN}", f"bob@{DOMAIN}"]
    assert failed(server, "user", "delete", "carol") == (
        1, f"carol@{DOMAIN}: there is no such account")
    assert "AUTHENTICATIONFAILED" in login(server, "carol", "s3cret!")


def test_a_changed_password_is_the_only_one(server):
    assert login(server, "alice", "secret") is None
    done(server, "user", "passwd", "alice", "--password-stdin", "--scheme", "scram-sha-256",
         stdin="new one\n")
    assert "AUTHENTICATIONFAILED" in login(server, "alice", "secret")
    assert login(server, "alice", "new one") is None
    shown = rows(server, "user", "show", "alice")
    assert shown["login"] == f"alice@{DOMAIN}"
    assert shown["credentials"] == ["1 {SCRAM-SHA-256} imap pop3 password"]


def test_a_login_is_remembered(server):
    with Serving(server) as s:
        s.imap("alice").logout()
        s.pop3("bob").quit()
    server.stop()  # at the latest then
    shown = rows(server, "user", "show", "alice")
    assert shown["created"] <= shown["last_imap"] and shown["last_pop3"] is None
    assert rows(server, "user", "show", "bob")["last_pop3"]
    assert [bool(row["last_login"]) for row in rows(server, "user", "list")] == [True, True]


def test_a_disabled_account_stays_out(server):
    done(server, "user", "disable", "alice")
    assert "CONTACTADMIN" in login(server, "alice", "secret")
    assert rows(server, "user", "show", "alice")["state"] == "disabled"
    assert failed(server, "deliver", "--user", "alice", stdin="Subject: x\n\n")[0] == 77
    done(server, "user", "enable", "alice")
    assert login(server, "alice", "secret") is None


def test_settings_of_an_account(server):
    done(server, "user", "set", "alice", "imap.enabled=no", "store.quota=1M", "pop3.hide_seen=yes")
    assert "CONTACTADMIN" in login(server, "alice", "secret")
    shown = rows(server, "user", "show", "alice")
    assert shown["settings"] == ["imap.enabled=no", "pop3.hide_seen=yes", "store.quota=1M"]
    assert shown["quota"] == 1048576
    done(server, "user", "unset", "alice", "imap.enabled", "store.quota")
    assert login(server, "alice", "secret") is None
    assert rows(server, "user", "show", "alice")["settings"] == ["pop3.hide_seen=yes"]
    status, complaint = failed(server, "user", "set", "alice", "pop3.hide_sen=yes")
    assert status == 2 and "hide_seen" in complaint
    assert failed(server, "user", "set", "alice", "tandem.user=x")[0] == 2
    assert failed(server, "user", "set", "alice", "store.quota")[1].startswith("'store.quota': write")
    assert failed(server, "user", "unset", "alice", "store.quota") == (
        1, "store.quota: not set for this account")


def test_import_says_which_lines_were_not_taken(server):
    lines = ["# comment", "", "dave:pass word:with colon", "erin:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=:1000:1000::/home/erin",
             "alice:again", "nobody", "bad name:x", "frank:{NOPE}x", "grace@elsewhere.example:x",
             "heidi:{PLAIN}p:lain", "ivan:", "judy:last"]
    run = tool(server, "user", "import", "--scheme", "ssha512", "-", stdin="\n".join(lines))
    assert run.returncode == 3
    assert run.stdout.splitlines() == ["4 accounts made, 6 failed"]
    assert sorted(run.stderr.splitlines()) == sorted([
        f"tandem: line 5: alice@{DOMAIN}: the account exists already",
        "tandem: line 6: write NAME:PASSWORD or NAME:{SCHEME}VERIFIER",
        "tandem: line 7: bad name: not a name for an account",
        "tandem: line 8: frank: unknown scheme; a password that begins with { is written "
        "{PLAIN}PASSWORD",
        "tandem: line 9: grace@elsewhere.example: its domain is not here; 'tandem domain add' first",
        f"tandem: line 11: ivan@{DOMAIN}: the password is empty or holds a NUL"])
    assert login(server, "dave", "pass word:with colon") is None
    assert login(server, "erin", "secret") is None
    assert login(server, "heidi", "p:lain") is None
    assert login(server, "judy", "last") is None


def test_thousands_are_imported_in_seconds(server, tmp_path):
    path = tmp_path / "users"
    path.write_text("".join(f"u{n}:secret{n}\r\n" for n in range(3000)))
    os.chmod(path, 0o600)  # root's: read before the tool becomes the store's owner
    os.chmod(tmp_path, 0o700)
    assert done(server, "user", "import", str(path), "--scheme=ssha512") == [
        "3000 accounts made, 0 failed"]
    assert len(logins(server)) == 3002
    assert login(server, "u2999", "secret2999") is None


def test_deliver_reports_as_mail_programs_expect(server, tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.eml").write_text(f"Subject: number {n}\n\nText\n")
    done(server, "deliver", "--user", "alice", *(str(tmp_path / f"{n}.eml") for n in range(3)))
    done(server, "deliver", "--user=alice", "--mailbox", "Archive", stdin="Subject: kept\n\nText\n")
    assert subjects(server, "alice") == [f"Subject: number {n}" for n in range(3)]
    assert subjects(server, "alice", "Archive") == ["Subject: kept"]
    assert failed(server, "deliver", "--user", "zoe", stdin="x\n") == (
        67, "zoe: there is no such account")
    assert failed(server, "deliver", "--user", "alice", "--mailbox", "No/Such", stdin="x\n") == (
        77, "alice has no mailbox 'No/Such'")
    assert failed(server, "deliver", stdin="x\n") == (64, "to whom? Name an account with --user")
    assert failed(server, "deliver", "--user", "alice", stdin="") == (64, "the message is empty")
    assert failed(server, "deliver", "--user", "alice", str(tmp_path / "none"))[0] == 64
    done(server, "user", "set", "bob", "store.message_size=64k")
    assert failed(server, "deliver", "--user", "bob", stdin="x\n" * 40000)[0] == 77


def test_a_big_message_is_streamed(server, tmp_path):
    body = b"".join(b"%07d 0123456789012345678901234567890123456789012345678901234567890\r\n" % n
                    for n in range(300000))
    (tmp_path / "big.eml").write_bytes(b"Subject: big\r\n\r\n" + body)
    done(server, "deliver", "--user", "alice", str(tmp_path / "big.eml"))
    with Serving(server) as s:
        client = s.pop3("alice", timeout=60)
        got = b"\r\n".join(client.retr(1)[1]) + b"\r\n"
        client.quit()
    assert got.endswith(body)
    assert done(server, "check", "--bodies")[-1].endswith(": 0 findings")


def test_domains_and_aliases(server):
    done(server, "domain", "add", "Example.NET")
    assert failed(server, "domain", "add", "example.net") == (1, "example.net: it is there already")
    assert failed(server, "domain", "add", "no domain")[0] == 2
    done(server, "user", "add", "zoe@example.net", "--password-stdin", "--scheme", "ssha512",
         stdin="secret\n")
    done(server, "alias", "set", "team@example.net", "alice", "zoe@example.net")
    done(server, "alias", "set", "both@example.net", "team@example.net", "bob")
    done(server, "alias", "set", "@example.net", "bob")
    assert failed(server, "alias", "set", "x@example.net", "nobody") == (
        1, "nobody: there is no such account or alias")
    with Serving(server) as s:
        with s.lmtp() as client:
            client.sendmail("a@b.example", ["both@example.net"], "Subject: all\n\nText\n")
            client.sendmail("a@b.example", ["anybody@example.net"], "Subject: rest\n\nText\n")
    assert subjects(server, "alice") == ["Subject: all"]
    assert subjects(server, "zoe@example.net") == ["Subject: all"]
    assert subjects(server, "bob") == ["Subject: all", "Subject: rest"]
    done(server, "alias", "set", "@example.net")
    with Serving(server) as s:
        with s.lmtp() as client:
            client.ehlo_or_helo_if_needed()
            client.mail("a@b.example")
            assert client.rcpt("anybody@example.net")[0] == 550


def test_quota_tells_what_is_held_and_what_may_be(server):
    assert failed(server, "quota", "alice", "zoe") == (
        3, "zoe@example.org: there is no such account")
    done(server, "user", "set", "alice", "store.quota=1M", "store.quota_messages=10")
    done(server, "deliver", "--user", "alice", stdin="Subject: x\n\n" + "x" * 99 + "\n")
    done(server, "deliver", "--user", "alice", stdin="Subject: y\n\nText\n")
    done(server, "expunge", "alice", "INBOX", "1")
    size = len("Subject: y\r\n\r\nText\r\n")
    alice, bob = rows(server, "quota")
    assert alice == {"login": "alice@example.org", "octets": size, "quota": 1 << 20, "percent": 0,
                     "messages": 1, "quota_messages": 10,
                     "undelete_octets": size - 5 + 100, "undelete_messages": 1}
    assert (bob["octets"], bob["quota"], bob["percent"]) == (0, None, None)
    assert rows(server, "quota", "alice") == [alice]
    assert rows(server, "quota", "recalc", "alice") == [alice]
    assert failed(server, "quota", "recalc", "zoe") == (
        1, "zoe@example.org: there is no such account")
    assert done(server, "user", "delete", "bob") == ["bob@example.org: deleted"]


def test_aliases_are_listed_and_deleted(server):
    done(server, "alias", "set", "team", "bob", "alice")
    done(server, "alias", "set", "@" + DOMAIN, "bob")
    assert done(server, "alias", "list") == [
        "ADDRESS           ACCOUNTS",
        "@example.org      bob@example.org",
        "team@example.org  bob@example.org, alice@example.org"]
    done(server, "user", "delete", "bob")
    assert rows(server, "alias", "list") == [
        {"address": "@example.org", "accounts": []},
        {"address": "team@example.org", "accounts": ["alice@example.org"]}]
    assert done(server, "alias", "delete", "Team") == ["team@example.org: deleted"]
    assert failed(server, "alias", "delete", "team") == (1, "team: there is no such alias")
    assert [row["address"] for row in rows(server, "alias", "list")] == ["@example.org"]


def test_check_counts_what_is_there(server):
    done(server, "deliver", "--user", "alice", stdin="Subject: x\n\nText\n")
    line = done(server, "check", "--bodies")[-1]
    assert line.startswith("2 accounts, 12 mailboxes, 1 messages, 1 bodies, ")
    assert line.endswith(" every octet read: 0 findings")


def test_one_description_makes_table_and_json(server):
    done(server, "user", "set", "bob", "store.quota=1500M")
    assert done(server, "user", "list") == [
        "LOGIN              STATE    MESSAGES  OCTETS  QUOTA  LAST LOGIN",
        "alice@example.org  enabled         0       0      -  -",
        "bob@example.org    enabled         0       0   1.5G  -"]
    assert done(server, "--no-header", "user", "list")[0].startswith("alice@example.org ")
    assert rows(server, "user", "list")[1] == {
        "login": "bob@example.org", "state": "enabled", "messages": 0, "octets": 0,
        "quota": 1500 << 20, "last_login": None}
    assert done(server, "user", "show", "bob")[-3:] == [
        "credentials      1 {SSHA512} imap pop3 password",
        "settings         store.quota=1500M",
        "domain settings  -"]
    assert rows(server, "user", "enable", "bob") == []
    assert done(server, "user", "list", "--help")[0] == "Usage: tandem user list"
    assert "  user list              list accounts, with what their mail takes" in done(
        server, "user", "--help")


def test_wrong_use_is_one_line(server):
    assert failed(server, "user", "grow") == (2, "there is no verb 'user grow'; try 'tandem user --help'")
    assert failed(server, "user") == (2, "user what? Try 'tandem user --help'")
    assert failed(server, "grow") == (2, "there is no verb 'grow'; try 'tandem --help'")
    assert failed(server) == (2, "what shall be done? Try 'tandem --help'")
    assert failed(server, "user", "list", "--bodies") == (
        2, "what is '--bodies'? Try 'tandem user list --help'")
    assert failed(server, "user", "list", "x") == (
        2, "too many arguments; try 'tandem user list --help'")
    assert failed(server, "user", "delete") == (
        2, "an argument is missing; try 'tandem user delete --help'")
    assert failed(server, "user", "add", "a b", "--password-stdin", stdin="x\n")[1].startswith(
        "'a b' is not a name for an account")
    assert failed(server, "user", "add", "x", "--password-stdin", stdin="") == (
        1, "the password is empty")
    assert failed(server, "user", "add", "x", "--password-stdin", "--scheme", "rot13", stdin="x\n")[
        1].startswith("there is no scheme 'rot13'; take yescrypt,")


def test_a_deleted_account_is_put_out_at_once(make_server):
    server = make_server(["alice", "bob"])
    imap = server.imap("alice")
    pop3 = server.pop3("alice")
    done(server, "user", "delete", "alice")
    with pytest.raises((imaplib.IMAP4.abort, imaplib.IMAP4.error, OSError)):
        imap.noop()
        imap.noop()
    with pytest.raises((poplib.error_proto, OSError, EOFError)):
        pop3.noop()
        pop3.noop()


def test_kick_ends_sessions_and_nothing_else(make_server):
    server = make_server(["alice", "bob"])
    alice, bob = server.imap("alice"), server.imap("bob")
    done(server, "kick", "alice")
    with pytest.raises((imaplib.IMAP4.abort, imaplib.IMAP4.error, OSError)):
        alice.noop()
        alice.noop()
    bob.noop()
    server.imap("alice").logout()


def test_who_tells_sessions_and_kick_ends_one(make_server):
    server = make_server(["alice", "bob"])
    assert rows(server, "who") == []
    alice, other, pop3 = server.imap("alice", "Sent"), server.imap("alice", None), server.pop3("bob")
    alice.xatom("ID", '("name" "Probe" "version" "1.0")')
    found = {(row["login"], row["mailbox"]): row for row in rows(server, "who")}
    assert set(found) == {("alice@" + DOMAIN, "Sent"), ("alice@" + DOMAIN, None),
                          ("bob@" + DOMAIN, None)}
    row = found["alice@" + DOMAIN, "Sent"]
    assert (row["protocol"], row["client"]) == ("imap", "Probe 1.0")
    assert row["address"].startswith("127.") and row["idle"] < 60
    assert row["since"].endswith("Z")
    assert found["bob@" + DOMAIN, None]["protocol"] == "pop3"
    assert [r["login"] for r in rows(server, "who", "bob")] == ["bob@" + DOMAIN]
    assert done(server, "who")[0].split() == [
        "LOGIN", "PROTOCOL", "ADDRESS", "SINCE", "IDLE", "MAILBOX", "CLIENT", "SESSION"]
    done(server, "mailbox", "rename", "alice", "Sent", "Sent 2026")
    assert ("alice@" + DOMAIN, "Sent 2026") in {
        (r["login"], r["mailbox"]) for r in rows(server, "who")}
    assert server.logged(f"session={row['session']}")
    assert done(server, "kick", "--session", row["session"]) == []
    with pytest.raises((imaplib.IMAP4.abort, imaplib.IMAP4.error, OSError)):
        alice.noop()
        alice.noop()
    other.noop()
    assert failed(server, "kick", "--session", row["session"]) == (
        1, f"{row['session']}: there is no such session")
    assert failed(server, "kick", "--session", "x") == (
        2, "'x' is not a session; 'tandem who' lists them")
    assert done(server, "kick", "alice") == [f"alice@{DOMAIN}: 1 session ended"]
    pop3.quit()
    server.stop()
    assert failed(server, "who") == (1, "the daemon is down")


def test_stats_count_logins(make_server):
    server = make_server(["alice"])
    server.imap("alice").logout()
    assert login(server, "alice", "wrong") is not None
    lines = done(server, "stats", "--openmetrics")
    assert lines[-1] == "# EOF"
    assert 'tandem_logins_total{proto="imap",result="ok"} 1' in lines
    assert 'tandem_logins_total{proto="imap",result="failed"} 1' in lines
    assert "tandem_up 1" in lines
    assert {"name": "tandem_up", "labels": None, "value": 1} in rows(server, "stats")
    server.stop()
    assert failed(server, "stats") == (1, "the daemon is down")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_strangers_are_refused(make_server):
    server = make_server(["alice"])
    os.chmod(server.store, 0o755)  # as far as the socket
    run = subprocess.run(
        ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups",
         os.path.join(server.programs, "tandem"), "-c", server.ini, "user", "list"],
        capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert "be root, or in the group of the daemon's user" in run.stderr
    assert run.stdout == ""
