"""Passwords that other servers have hashed, and guesses."""
import imaplib
import os
import poplib
import socket
import subprocess

import pytest

from conftest import PASSWORD, PORTS, ROOT

FILTER = os.path.join(ROOT, "cmd", "fail2ban", "filter.conf")


def test_a_passwd_file_of_dovecot_logs_in(make_server):
    path = os.path.join(ROOT, "tests", "clients", "dovecot.passwd")
    with open(path, encoding="ascii") as f:
        users = [line.split(":")[0] for line in f if not line.startswith("#")]
    server = make_server([], {("auth", "failures"): 100, ("auth", "delay"): "0s..0s"})
    run = server.tool("user", "import", path)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{len(users)} accounts made, 0 failed\n", "")
    for n, user in enumerate(users):
        imap = imaplib.IMAP4(server.address, PORTS["imap"], timeout=30)
        try:
            imap.login(user, PASSWORD + "x" if user != "des-crypt" else "Secret")
            assert False, f"{user}: any password is taken"
        except imaplib.IMAP4.error as e:
            assert "AUTHENTICATIONFAILED" in str(e)
        if n % 2:
            imap.login(user, PASSWORD)
        else:
            pop3 = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
            pop3.user(user)
            pop3.pass_(PASSWORD)
            pop3.quit()
        imap.logout()


# --- guesses -------------------------------------------------------------------------------------


def refused(server, user, password):
    client = imaplib.IMAP4(server.address, PORTS["imap"], timeout=30)
    try:
        client.authenticate("PLAIN", lambda _: b"\0" + user.encode() + b"\0" + password.encode())
        assert False, "taken"
    except imaplib.IMAP4.error:
        client.logout()


def fail_in_every_way(server):
    """A line of the log for each reason and protocol, and names that would break a careless log."""
    for name in ("alice", "nobody", "x rip=192.0.2.9 lip=", 'quote"}', "back\\slash", "ümlaut", "a\tb"):
        refused(server, name, "wrong")
    client = imaplib.IMAP4(server.address, PORTS["imap"], timeout=30)
    for command in (lambda: client.login("alice", "wrong"),
                    lambda: client.authenticate("SCRAM-SHA-256", lambda said: (
                        b"c=biws,r=abc,p=QUFBQQ==" if said else b"n,,n=alice,r=abc"))):
        try:
            command()
            assert False, "taken"
        except imaplib.IMAP4.error:
            pass
    client.logout()
    client = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
    client.user("alice")
    for command in (lambda: client.pass_("wrong"), lambda: client.apop("alice", "wrong")):
        try:
            command()
            assert False, "taken"
        except poplib.error_proto:
            pass
    client.quit()
    assert server.tool("user", "disable", "bob").returncode == 0
    refused(server, "bob", PASSWORD)  # reason=off
    assert server.tool("user", "set", "carol", "limits.per_user=1").returncode == 0
    with_place = server.imap("carol")
    refused(server, "carol", PASSWORD)  # reason=limit
    with_place.logout()


@pytest.mark.parametrize("form", ["kv", "json"])
def test_fail2ban_sees_every_failure(make_server, form):
    server = make_server(["alice", "bob", "carol"], {
        ("auth", "failures"): 100, ("auth", "delay"): "0s..0s", ("log", "format"): form,
        ("auth", "mechanisms"): "plain, scram-sha-256", ("pop3", "apop"): "yes"})
    fail_in_every_way(server)
    server.stop()  # the log is whole
    with open(server.log, encoding="utf-8") as f:
        lines = [line for line in f if "auth-failed" in line]
    assert len(lines) == 13, "".join(lines)
    run = subprocess.run(["fail2ban-regex", server.log, FILTER, "--print-all-missed"],
                         capture_output=True, text=True, timeout=60, check=False)
    assert "Failregex: 12 total" in run.stdout, run.stdout
    missed = [line for line in run.stdout.splitlines() if "auth-failed" in line and "rip" in line
              and "regular expression" not in line and "[" not in line]
    assert len(missed) == 1 and "limit" in missed[0], missed
    found = subprocess.run(["fail2ban-regex", server.log, "-o", "ip", FILTER],
                           capture_output=True, text=True, timeout=60, check=False).stdout
    assert set(found.split()) == {"127.0.0.1"}, found


def test_fail2ban_reads_the_journal(tmp_path):
    path = tmp_path / "journal"
    path.write_text(
        "2026-11-22T12:00:00.000001Z mx tandemd[123]: auth-failed: proto=imap user=a@b.example "
        "rip=192.0.2.7 lip=192.0.2.1 mech=plain reason=password session=0000000000000001\n"
        '2026-11-22T12:00:00.000001Z mx tandemd[123]: {"time":"2026-11-22T12:00:00.000001Z",'
        '"level":"warn","event":"auth-failed","proto":"pop3","user":"a \\"b","rip":"2001:db8::1",'
        '"lip":"192.0.2.1","mech":"user","reason":"unknown","session":"0000000000000002"}\n')
    found = subprocess.run(["fail2ban-regex", str(path), "-o", "ip", FILTER], capture_output=True,
                           text=True, timeout=60, check=False).stdout
    assert found.split() == ["192.0.2.7", "2001:db8::1"]


def test_guesses_make_nobody_else_wait(make_server):
    """Whoever guesses waits for a minute; who knows the password is in at once."""
    server = make_server(["alice"], {("auth", "delay"): "60s..60s", ("tandem", "drain"): "1s"})
    guessers = []
    for n in range(60):
        sock = socket.create_connection((server.address, PORTS["imap"]), timeout=30,
                                        source_address=(f"127.3.0.{1 + n % 20}", 0))
        sock.sendall(f"a LOGIN {'alice' if n % 2 else 'nobody'} guess{n}\r\n".encode())
        guessers.append(sock)
    for _ in range(5):
        server.imap("alice").logout()
    for sock in guessers:
        assert sock.recv(65536).startswith(b"* OK")  # the greeting, and nothing else
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
        sock.close()
