"""Mail comes in over LMTP and is the same mail over POP3 and IMAP."""
import imaplib
import poplib
import re

import corpus
from conftest import PASSWORD, PORTS, ok

TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*")


def without_trace(octets):
    """Delivery puts trace fields in front; the message itself begins behind them. The messages of
    the corpus have none of their own."""
    return octets[TRACE.match(octets).end():]


def test_every_octet_uid_size_and_flag_is_the_same(make_server, request, show):
    server = make_server(["alice"])
    count = request.config.getoption("--count")
    sent = []
    with server.lmtp() as lmtp:
        for message in corpus.messages(count):
            assert lmtp.deliver(message, "alice")["alice"][0] == 250
            sent.append(message)

    imap = server.imap("alice")
    uidvalidity = int(imap.response("UIDVALIDITY")[1][0])
    bodies, rows = {}, {}
    for first in range(1, count + 1, 100):
        asked = f"{first}:{min(first + 99, count)}"
        rows.update(imap.fetch_dict(asked, "(UID FLAGS RFC822.SIZE)", uid=False))
        bodies.update(imap.fetch_dict(asked, "(UID BODY.PEEK[])", uid=False))
    uids = sorted(rows)
    assert len(uids) == count
    for uid, message in zip(uids, sent):
        assert without_trace(bodies[uid]["BODY"]) == message
        assert rows[uid]["SIZE"] == len(bodies[uid]["BODY"])
        assert "\\Seen" not in rows[uid]["FLAGS"]

    pop3 = server.pop3("alice")
    assert pop3.stat() == (count, sum(row["SIZE"] for row in rows.values()))
    listing = [tuple(map(int, line.split())) for line in pop3.list()[1]]
    assert listing == [(n, rows[uid]["SIZE"]) for n, uid in enumerate(uids, 1)]
    uidl = [line.split()[1].decode() for line in pop3.uidl()[1]]
    assert uidl == [f"{uid:08x}{uidvalidity:08x}" for uid in uids]
    for number, uid in enumerate(uids, 1):
        lines = pop3.retr(number)[1]
        assert b"\r\n".join(lines) + b"\r\n" == bodies[uid]["BODY"], f"message {number}"
    pop3.quit()

    ok(imap.noop())
    flags = imap.fetch_dict("1:*", "(UID FLAGS)", uid=False)
    assert all("\\Seen" in row["FLAGS"] for row in flags.values()), "RETR and QUIT set \\Seen"
    imap.logout()
    show(f"{count} messages, {sum(map(len, sent)) >> 20} MB")


def test_one_message_to_many_is_one_answer_each(make_server):
    server = make_server(["alice", "bob"])
    with server.lmtp() as lmtp:
        answers = lmtp.deliver(b"Subject: to three\r\n\r\nhello\r\n", "alice", "nobody", "bob")
    assert {user: code for user, (code, _) in answers.items()} == \
        {"alice": 250, "nobody": 550, "bob": 250}
    bodies = [server.imap(user).fetch_dict("1", "(UID BODY.PEEK[])", uid=False)[1]["BODY"]
              for user in ("alice", "bob")]
    assert bodies[0] == bodies[1] and b"Delivered-To" not in bodies[0]


def test_what_pop3_deletes_is_gone_over_imap_and_nothing_else(make_server):
    server = make_server(["alice"])
    for number in range(5):
        server.deliver(f"Subject: {number}\r\n\r\nbody {number}\r\n".encode(), "alice")
    pop3 = server.pop3("alice")
    pop3.dele(2)
    pop3.dele(4)
    pop3.rset()
    pop3.dele(3)
    assert pop3.stat()[0] == 4
    pop3.quit()
    imap = server.imap("alice")
    assert sorted(imap.fetch_dict("1:*", "(UID FLAGS)", uid=False)) == [1, 2, 4, 5]
    assert server.pop3("alice").stat()[0] == 4


def test_starttls_and_implicit_tls(make_server):
    server = make_server(["alice"])
    server.deliver(b"Subject: over TLS\r\n\r\nhello\r\n", "alice")
    context = server.tls_context()

    imap = imaplib.IMAP4(server.address, PORTS["imap"])
    imap.starttls(context)
    imap.login("alice", PASSWORD)
    assert ok(imap.select("INBOX")) == [b"1"]
    imap.logout()

    imap = imaplib.IMAP4_SSL(server.address, PORTS["imaps"], ssl_context=context)
    imap.login("alice", PASSWORD)
    assert ok(imap.select("INBOX")) == [b"1"]
    imap.logout()

    pop3 = poplib.POP3(server.address, PORTS["pop3"])
    pop3.stls(context)
    pop3.user("alice")
    pop3.pass_(PASSWORD)
    assert pop3.stat()[0] == 1
    pop3.quit()

    pop3 = poplib.POP3_SSL(server.address, PORTS["pop3s"], context=context)
    pop3.user("alice")
    pop3.pass_(PASSWORD)
    assert pop3.stat()[0] == 1
    pop3.quit()
