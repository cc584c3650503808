"""POP3, IMAP and LMTP at once on one account: a POP3 session's picture stays frozen and true."""
import hashlib
import poplib
import random
import threading
import time

from conftest import ok

SECONDS = 15


class Seen:
    """What each UID was, told by whoever saw it first; everybody after that must see the same. And
    which UIDs there were, and which of them somebody has asked to remove."""

    def __init__(self):
        self.lock = threading.Lock()
        self.messages = {}
        self.listed, self.removed, self.quit = set(), set(), set()

    def note(self, uid, body):
        mark = (len(body), hashlib.sha256(body).hexdigest())
        with self.lock:
            assert self.messages.setdefault(uid, mark) == mark, f"UID {uid} is another message"


def may_have_gone(answer):
    """Another session may have expunged what this one names (RFC 5530)."""
    assert answer[0] == "OK" or b"EXPUNGEISSUED" in answer[1][0], answer


def deliver(server, seen, until, rng):
    with server.lmtp() as lmtp:
        while time.monotonic() < until:
            lines = [b"." * rng.randrange(4) + b"%x" % rng.getrandbits(rng.randrange(8, 2000))
                     for _ in range(rng.randrange(30))]
            body = rng.choice([b"\r\n", b"\r\n\r\n.\r\n"]).join(lines)
            answer = lmtp.deliver(b"Subject: x\r\n\r\n" + body + b"\r\n", "alice")["alice"]
            assert answer[0] == 250
            time.sleep(rng.random() / 50)


def change(server, seen, until, rng):
    imap = server.imap("alice")
    while time.monotonic() < until:
        uids = ok(imap.uid("SEARCH", "ALL"))[0].split()
        if uids:
            picked = b",".join(rng.sample(uids, min(len(uids), rng.randrange(1, 4)))).decode()
            what = rng.randrange(4)
            if what == 0 and len(uids) > 40:
                seen.removed.update(map(int, picked.split(",")))
                may_have_gone(imap.uid("STORE", picked, "+FLAGS.SILENT", "(\\Deleted)"))
                ok(imap.uid("EXPUNGE", picked))
            elif what == 1:
                may_have_gone(imap.uid("STORE", picked, rng.choice(["+FLAGS", "-FLAGS"]),
                                       "(\\Seen \\Flagged)"))
            elif what == 2 and len(uids) < 200:
                may_have_gone(imap.uid("COPY", picked, "INBOX"))
            else:
                for uid, row in imap.fetch_dict(picked, "(UID RFC822.SIZE BODY.PEEK[])").items():
                    if "BODY" in row:  # else it is news of flags
                        assert row["SIZE"] == len(row["BODY"])
                        seen.note(uid, row["BODY"])
        time.sleep(rng.random() / 50)
    imap.logout()


def entered(server):
    """That the session before has gone may not have been noticed yet."""
    for _ in range(200):
        try:
            return server.pop3("alice")
        except poplib.error_proto as refused:
            assert b"[IN-USE]" in refused.args[0]
            time.sleep(0.1)
    raise AssertionError("the maildrop stays locked")


def fetch(server, seen, until, rng):
    while time.monotonic() < until:
        pop3 = entered(server)
        picture = pop3.list()[1], pop3.uidl()[1]
        sizes = {int(number): int(size) for number, size in map(bytes.split, picture[0])}
        uids = {int(number): int(uidl[:8], 16) for number, uidl in map(bytes.split, picture[1])}
        assert sizes.keys() == uids.keys() == set(range(1, len(sizes) + 1))
        assert list(uids.values()) == sorted(uids.values())
        deleted = set()
        for number in rng.sample(sorted(sizes), min(len(sizes), 12)):
            if number % 5 == 0:
                pop3.dele(number)
                deleted.add(number)
                continue
            body = b"".join(line + b"\r\n" for line in pop3.retr(number)[1])
            assert len(body) == sizes[number], "LIST tells the octets that RETR sends"
            seen.note(uids[number], body)
            time.sleep(rng.random() / 100)
        left = [n for n in sorted(sizes) if n not in deleted]
        assert pop3.stat() == (len(left), sum(sizes[n] for n in left))
        for before, now in zip(picture, (pop3.list()[1], pop3.uidl()[1])):
            assert now == [line for line in before if int(line.split()[0]) in left]
        seen.listed.update(uids.values())
        gone = {uids[n] for n in deleted}
        if rng.randrange(3):
            seen.removed.update(gone)
            pop3.quit()
            seen.quit.update(gone)
        else:
            pop3.close()


def test_the_picture_of_a_session_stays_frozen_and_true(make_server, show):
    server = make_server(["alice"])
    seen, until, failures = Seen(), time.monotonic() + SECONDS, []
    seed = random.randrange(1 << 32)
    for number in range(50):
        server.deliver(f"Subject: {number}\r\n\r\nbody {number}\r\n".encode(), "alice")

    def guarded(work, number):
        try:
            work(server, seen, until, random.Random(seed + number))
        except BaseException as failure:  # pylint: disable=broad-except
            failures.append((work.__name__, repr(failure)))

    threads = [threading.Thread(target=guarded, args=(work, number))
               for number, work in enumerate((deliver, change, change, fetch))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS + 60)
    assert not failures, (seed, failures)

    imap = server.imap("alice")
    rows = imap.fetch_dict("1:*", "(UID RFC822.SIZE)")
    pop3 = entered(server)
    listing = [tuple(map(int, line.split())) for line in pop3.list()[1]]
    assert listing == [(n, rows[uid]["SIZE"]) for n, uid in enumerate(sorted(rows), 1)]
    pop3.quit()
    imap.logout()
    assert not seen.quit & rows.keys(), "what a QUIT removed is gone"
    assert seen.listed | seen.messages.keys() <= seen.removed | rows.keys(), "and nothing else"
    assert len(seen.messages) > 20 and seen.quit
    show(f"{len(seen.messages)} messages seen, {len(rows)} left")
