"""How the admin tool behaves at the other end: terminals, pipes that close, disks that are full."""
import os
import pty
import select
import subprocess

import pytest

from test_admin import done, failed, rows, server, tool  # noqa: F401 (a fixture)


def command(server, *arguments):  # noqa: F811
    return [os.path.join(server.programs, "tandem"), "-c", server.ini, *arguments]


def on_terminal(server, *arguments):  # noqa: F811
    """Exit status, standard output, and what a terminal at standard error has seen."""
    master, slave = pty.openpty()
    process = subprocess.Popen(command(server, *arguments), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    out = process.stdout.read()
    process.stdout.close()
    status, seen = process.wait(60), b""
    while select.select([master], [], [], 1)[0]:
        try:
            seen += os.read(master, 65536)
        except OSError:  # the other end has gone
            break
    os.close(master)
    return status, out.decode(), seen.decode()


def test_a_terminal_sees_how_far_it_is(server):  # noqa: F811
    done(server, "deliver", "--user", "alice", stdin="Subject: x\n\nText\n")
    status, out, seen = on_terminal(server, "check", "--bodies")
    assert status == 0
    assert out == done(server, "check", "--bodies")[-1] + "\n"
    assert "\r\x1b[K[########################################] 100 %" in seen
    assert seen.endswith("\r\x1b[K")  # and is clean afterwards


def test_a_list_may_be_cut_short(server):  # noqa: F811
    users = "".join(f"u{n}:{{SSHA}}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" for n in range(5000))
    assert tool(server, "user", "import", "-", stdin=users).returncode == 0
    process = subprocess.Popen(command(server, "user", "list"), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"LOGIN")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(60)
    assert len(rows(server, "user", "list")) == 5002  # the next one is not held up
    places = {line.find(" enabled ") for line in done(server, "user", "list")[1:]}
    assert len(places) == 1  # widths stay from piece to piece


@pytest.mark.parametrize("arguments", [("user", "list"), ("user", "list", "--json")])
def test_a_full_disk_is_no_success(server, arguments):  # noqa: F811
    with open("/dev/full", "w", encoding="ascii") as full:
        run = subprocess.run(command(server, *arguments), stdout=full, stderr=subprocess.PIPE,
                             text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert run.stderr == "tandem: standard output: No space left on device\n"


def test_nothing_in_the_mail_speaks_to_the_terminal(server):  # noqa: F811
    done(server, "deliver", "--user", "alice", stdin="Subject: a\x1b]0;b\x07 =?utf-8?q?=1b[2J?=\n\n")
    line = done(server, "fetch", "alice", "INBOX", "1", "subject")[1]
    assert line == "a\\x1b]0;b\\x07 \\x1b[2J"
    assert rows(server, "fetch", "alice", "INBOX", "1", "subject") == [
        {"subject": "a\x1b]0;b\x07 \x1b[2J"}]
    status, complaint = failed(server, "mailbox", "create", "alice", "a\x1b[2J")
    assert (status, complaint) == (1, "'a?[2J' cannot be the name of a mailbox")


def test_odd_words_on_the_command_line(server):  # noqa: F811
    assert failed(server, "user", "show", b"\xff\xfe") == (
        1, "argument 1 of 'user show' is not UTF-8")
    assert failed(server, "user", "show", "--", "--json")[0] == 1
    assert failed(server, "mailbox", "create", "alice", "x" * 2000)[0] == 1
    assert failed(server, "user", "show", "alice", "--jso")[0] == 2


def test_all_keywords_taken(server):  # noqa: F811
    done(server, "deliver", "--user", "alice", stdin="Subject: x\n\nText\n")
    done(server, "flags", "alice", "INBOX", "1", *(f"+k{n}" for n in range(64)))
    assert failed(server, "flags", "alice", "INBOX", "1", "+another") == (
        1, "INBOX: it has 64 keywords, and no room for another")
    assert len(rows(server, "fetch", "alice", "INBOX", "1", "flags")[0]["flags"]) == 64
    assert [row["uid"] for row in rows(server, "search", "alice", "keyword", "k63")] == [1]
