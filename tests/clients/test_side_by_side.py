"""Several clients in one mailbox at once: what one does the others hear, at once and in order."""
import poplib
import statistics
import time

import pytest
from conftest import ok

ROUNDS = 50


def mailbox_of(make_server, count):
    server = make_server(["alice"])
    for number in range(1, count + 1):
        server.deliver(f"Subject: {number}\r\n\r\nbody {number}\r\n".encode(), "alice")
    return server


def wait_for(client, wanted):
    """Read what an idling client is told until `wanted` is in it."""
    until = time.monotonic() + 10
    said = []
    while time.monotonic() < until:
        said.append(client.idle_line())
        if wanted in said[-1]:
            return said
    raise AssertionError(f"{wanted!r} did not come; instead {said}")


def test_a_flag_reaches_an_idling_client_at_once(make_server, show):
    server = mailbox_of(make_server, 1)
    watcher, actor = server.imap("alice"), server.imap("alice")
    watcher.idle()
    took = []
    for number in range(ROUNDS):
        sign = "+" if number % 2 == 0 else "-"
        began = time.monotonic()
        ok(actor.store("1", sign + "FLAGS", "\\Flagged"))
        line = wait_for(watcher, b"FETCH")[-1]
        took.append(time.monotonic() - began)
        assert (b"\\Flagged" in line) == (sign == "+"), line
    watcher.idle_done()
    show(f"STORE until IDLE tells: median {statistics.median(took) * 1000:.1f} ms, "
         f"worst {max(took) * 1000:.1f} ms")
    assert max(took) < 1


def test_new_mail_reaches_an_idling_client_at_once(make_server, show):
    server = mailbox_of(make_server, 1)
    watcher = server.imap("alice")
    watcher.idle()
    took = []
    with server.lmtp() as lmtp:
        for number in range(2, ROUNDS + 2):
            began = time.monotonic()
            lmtp.deliver(b"Subject: new\r\n\r\nx\r\n", "alice")
            wait_for(watcher, b"* %d EXISTS" % number)
            took.append(time.monotonic() - began)
    watcher.idle_done()
    show(f"delivery until IDLE tells: median {statistics.median(took) * 1000:.1f} ms, "
         f"worst {max(took) * 1000:.1f} ms")
    assert max(took) < 1


def test_a_pop3_dele_becomes_an_expunge(make_server):
    server = mailbox_of(make_server, 4)
    watcher, pop3 = server.imap("alice"), server.pop3("alice")
    watcher.idle()
    pop3.dele(2)
    pop3.dele(3)
    pop3.quit()
    said = wait_for(watcher, b"EXPUNGE")
    said += wait_for(watcher, b"EXPUNGE") + watcher.idle_done()
    expunged = [int(line.split()[1]) for line in said if line.endswith(b"EXPUNGE")]
    numbers = [1, 2, 3, 4]
    for number in expunged:
        del numbers[number - 1]
    assert numbers == [1, 4], said
    assert sorted(watcher.fetch_dict("1:*", "(UID FLAGS)", uid=False)) == [1, 4]


def test_pop3_numbers_stand_still_while_imap_expunges(make_server):
    server = mailbox_of(make_server, 5)
    pop3, imap = server.pop3("alice"), server.imap("alice")
    before = pop3.list()[1], pop3.uidl()[1], pop3.stat()
    ok(imap.store("2:3", "+FLAGS.SILENT", "\\Deleted"))
    ok(imap.expunge())
    server.deliver(b"Subject: late\r\n\r\nlate\r\n", "alice")
    assert (pop3.list()[1], pop3.uidl()[1], pop3.stat()) == before
    for number in range(1, 6):
        lines = pop3.retr(number)[1]
        assert lines[-1] == b"body %d" % number
    pop3.dele(3)
    pop3.dele(5)
    pop3.quit()
    ok(imap.noop())
    assert sorted(imap.fetch_dict("1:*", "(UID FLAGS)")) == [1, 4, 6]
    assert server.pop3("alice").stat()[0] == 3


def test_a_second_pop3_login_is_told_in_use(make_server):
    server = mailbox_of(make_server, 1)
    first = server.pop3("alice")
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        server.pop3("alice")
    first.quit()
    assert server.pop3("alice").stat()[0] == 1


def test_many_watchers_agree_with_a_fresh_session(make_server):
    """Flags and expunges by three writers; each watcher's model, fed by untagged data only, must
    be what a new session sees."""
    server = mailbox_of(make_server, 30)
    watchers = [server.imap("alice") for _ in range(3)]
    models = [list(range(1, 31)) for _ in watchers]
    for watcher in watchers:
        watcher.idle()
    writer = server.imap("alice")
    for start in (3, 9, 14):
        ok(writer.store(f"{start},{start + 2}", "+FLAGS", "\\Deleted \\Answered"))
        ok(writer.expunge())
    pop3 = server.pop3("alice")
    pop3.dele(1)
    pop3.quit()
    ok(writer.noop())
    fresh = sorted(server.imap("alice").fetch_dict("1:*", "(UID FLAGS)", uid=False))
    assert len(fresh) == 23
    for watcher, model in zip(watchers, models):
        said = []
        while sum(line.endswith(b"EXPUNGE") for line in said) < 7:
            said.append(watcher.idle_line())
        for line in said + watcher.idle_done():
            if line.endswith(b"EXPUNGE"):
                del model[int(line.split()[1]) - 1]
        assert model == fresh
