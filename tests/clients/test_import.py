"""Moving in from another server: what a real Dovecot has kept is taken over, and clients that used
it find all they remember; what cannot be taken is said in one line each, and a second run completes
what the first could not."""
import email.utils
import imaplib
import json
import os
import poplib
import re
import shutil
import subprocess
import time

import pytest
from conftest import PASSWORD, PORTS, ok, service_user
from dovecot import Dovecot, Front, Unreachable, forward, unpack
from test_pop3_clients import Fetchmail, Getmail, Mpop

MAIL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "mail")


def mails(n):
    for name in sorted(name for name in os.listdir(MAIL) if name.endswith(".eml"))[:n]:
        with open(os.path.join(MAIL, name), "rb") as f:
            yield f.read().replace(b"\n", b"\r\n")


def public(folder):
    """Whoever owns the mail gets into it."""
    path = str(folder)
    while path != "/":
        if os.stat(path).st_uid == os.geteuid():
            os.chmod(path, os.stat(path).st_mode | 0o711)
        path = os.path.dirname(path)


def debian_dovecot(build):
    try:
        return unpack(os.path.join(build, "tests"))
    except Unreachable as e:
        return pytest.skip(f"no Dovecot to be had: {e}")


@pytest.fixture
def dovecot(build, tmp_path):
    public(tmp_path)
    return Dovecot(debian_dovecot(build), tmp_path / "Maildir", service_user().pw_name)


def run_import(server, *arguments, status=0, kind="maildir"):
    """What it says: rows of the table as JSON, and lines of complaint without the tool's name."""
    done = server.tool("import", kind, "--json", *map(str, arguments))
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    rows = {row["mailbox"]: row for row in json.loads(done.stdout or "[]")}
    lines = [line.removeprefix("tandem: ") for line in done.stderr.splitlines()]
    return rows, lines


def snapshot(imap, name):
    """{uid: (flags, INTERNALDATE, octets)} of a mailbox, and its UIDVALIDITY."""
    ok(imap.select(f'"{name}"', readonly=True))
    status, data = imap.response("UIDVALIDITY")
    assert status == "UIDVALIDITY"
    found = {}
    for entry in ok(imap.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")):
        if not isinstance(entry, tuple):
            continue
        uid = int(re.search(rb"UID (\d+)", entry[0]).group(1))
        flags = set(re.search(rb"FLAGS \(([^)]*)\)", entry[0]).group(1).decode().split())
        date = re.search(rb'INTERNALDATE "([^"]*)"', entry[0]).group(1).decode()
        found[uid] = (flags - {"\\Recent"}, email.utils.parsedate_to_datetime(date), entry[1])
    return int(data[0]), found


def live_with_dovecot(dovecot):
    """Some months of use: folders, flags, keywords, dates, mail that came and went."""
    imap = dovecot.imap()
    for name in ("Work.2025", "Entw&APw-rfe", "Empty"):
        ok(imap.create(f'"{name}"'))
        ok(imap.subscribe(f'"{name}"'))
    for i, mail in enumerate(mails(12)):
        flags = ["", "\\Seen", "\\Seen \\Answered", "\\Flagged $Label1", "urgent \\Seen"][i % 5]
        date = imaplib_date(1600000000 + 86400 * i)
        ok(imap.append("INBOX" if i < 8 else '"Work.2025"', flags, date, mail))
    ok(imap.append('"Entw&APw-rfe"', "\\Draft", None, b"Subject: unfinished\r\n\r\n...\r\n"))
    ok(imap.select("INBOX"))
    ok(imap.store("2,5", "+FLAGS", "\\Deleted"))
    ok(imap.expunge())
    ok(imap.logout() and ("OK", None))


def imaplib_date(seconds):
    return time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(seconds))


MBSYNC = """
IMAPStore far
Host {address}
Port {port}
User alice
Pass {password}
SSLType None
AuthMechs LOGIN

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Expunge Both
SyncState *
"""


def mbsync(home, address):
    config = home / "mbsyncrc"
    config.write_text(MBSYNC.format(address=address, port=PORTS["imap"], password=PASSWORD, home=home))
    (home / "mail").mkdir(exist_ok=True)
    done = subprocess.run(["mbsync", "-c", str(config), "-a"], capture_output=True, text=True,
                          timeout=120, check=False, env={**os.environ, "HOME": str(home)})
    assert done.returncode == 0, done.stdout + done.stderr


def files_of(folder):
    """{path: inode and time}: a message that is downloaded again is another file."""
    return {os.path.join(path, name): (status.st_ino, status.st_mtime_ns, status.st_size)
            for path, _, names in os.walk(folder) if os.path.basename(path) in ("cur", "new")
            for name in names for status in [os.stat(os.path.join(path, name))]}


def uidls(connect):
    pop3 = connect()
    lines = [line.decode() for line in pop3.uidl()[1]]
    pop3.quit()
    return lines


def pop3_client(kind, front, folder, certificate):
    """One of test_pop3_clients, at an address that moves."""
    server = type("Where", (), {"address": front.address, "certificate": certificate})()
    folder.mkdir()
    return kind(server, str(folder), "alice", "plain", True)


def test_clients_of_dovecot_download_nothing_again(dovecot, make_server, tmp_path):
    server = make_server(["alice"])
    live_with_dovecot(dovecot)
    address = "127.250." + server.address.split(".", 2)[2]  # by which clients know both
    front = Front(address, PORTS["pop3"], dovecot.serve_pop3)
    clients = {kind.__name__: pop3_client(kind, front, tmp_path / kind.__name__, server.certificate)
               for kind in (Fetchmail, Getmail, Mpop)}
    assert {name: client.fetch() for name, client in clients.items()} == \
        {name: 6 for name in clients}
    imap_front = Front(address, PORTS["imap"], dovecot.serve_imap)
    mbsync(tmp_path, address)
    near = files_of(tmp_path / "mail")
    assert len(near) == 11

    before = {}
    imap = dovecot.imap()
    for name in ("INBOX", "Work.2025", "Entw&APw-rfe", "Empty"):
        before[name.replace(".", "/")] = snapshot(imap, name)
    imap.logout()
    known = uidls(lambda: connect_pop3(front))

    rows, lines = run_import(server, "alice", dovecot.maildir)
    assert lines == ["11 messages imported, 0 here already, 0 left out"]
    assert {name: row["imported"] for name, row in rows.items()} == \
        {"INBOX": 6, "Work/2025": 4, "Entwürfe": 1, "Empty": 0}
    assert all(row["uids"] == "kept" for row in rows.values())

    imap = server.imap("alice", None)
    for name, was in before.items():
        assert snapshot(imap, name) == was, name
    subscribed = {line.decode().split(' "/" ')[1].strip('"')
                  for line in ok(imap.lsub()) if line}
    assert {"Work/2025", "Entw&APw-rfe", "Empty"} <= subscribed
    imap.logout()
    front.serve = forward(server.address, PORTS["pop3"])
    assert uidls(lambda: connect_pop3(front)) == known

    imap_front.serve = forward(server.address, PORTS["imap"])
    mbsync(tmp_path, address)
    assert files_of(tmp_path / "mail") == near
    assert {name: client.fetch() for name, client in clients.items()} == \
        {name: 0 for name in clients}

    # new mail comes to them from here
    server.deliver(b"From: bob@example.net\r\nSubject: new\r\n\r\nhello\r\n", "alice")
    assert {name: client.fetch() for name, client in clients.items()} == \
        {name: 1 for name in clients}

    rows, lines = run_import(server, "alice", dovecot.maildir)
    assert lines == ["0 messages imported, 11 here already, 0 left out"]
    front.close()
    imap_front.close()
    assert server.tool("check", "--bodies").returncode == 0


def connect_pop3(front):
    pop3 = poplib.POP3(front.address, front.port, timeout=30)
    pop3.user("alice")
    pop3.pass_(PASSWORD)
    return pop3


# --- what cannot be taken ------------------------------------------------------------------------


def maildir(folder, *messages, sub=""):
    """A Maildir with these files: (name, octets)."""
    for name in ("cur", "new", "tmp"):
        os.makedirs(folder / sub / name, exist_ok=True)
    for name, octets in messages:
        (folder / sub / "cur" / name).write_bytes(octets)
    return folder


def letter(subject, size=0):
    return f"Subject: {subject}\n\n".encode() + b"x" * size + b"\n"


def count(server, user, mailbox="INBOX"):
    imap = server.imap(user, None)
    status = ok(imap.status(f'"{mailbox}"', "(MESSAGES)"))[0]
    imap.logout()
    return int(re.search(rb"MESSAGES (\d+)", status).group(1))


def test_each_bad_message_is_one_line_and_a_second_run_completes(make_server, tmp_path):
    server = make_server(["alice"], {("store", "message_size"): "64k"})
    box = maildir(tmp_path / "Maildir",
                  ("1600000001.M1P1.h:2,Sac", letter("good")),
                  ("1600000002.M2P1.h,S=100:2,S", letter("cut off")),
                  ("1600000003.M3P1.h,W=100:2,S", letter("cut off, too")),
                  ("1600000004.M4P1.h:2,", letter("large", 70000)),
                  ("1600000005.M5P1.h:2,", b""),
                  ("1600000006.M6P1.h:2,", b"Subject: nul\0 and\r\r\n\nbare\nlf \xff\r\n"))
    os.symlink("/etc/passwd", box / "cur" / "1600000007.M7P1.h:2,")
    os.mkfifo(box / "cur" / "1600000008.M8P1.h:2,")
    os.mkdir(box / "cur" / "1600000009.M9P1.h:2,")
    (box / "tmp" / "1600000010.M1P1.h").write_bytes(letter("never arrived"))
    os.makedirs(box / ".Half" / "new")
    os.symlink(box / ".Half", box / ".Link")
    (box / "dovecot-keywords").write_bytes(b"0 known\nwhat\n2 not (one)\n1 cut")
    rows, lines = run_import(server, "alice", box, status=3)
    assert sorted(lines) == sorted([
        "INBOX/dovecot-keywords: line 2 is broken and left out",
        "INBOX/dovecot-keywords: line 4 is broken and left out",
        "INBOX: 'not (one)' cannot be a keyword: left out",
        "INBOX/cur/1600000002.M2P1.h,S=100:2,S: half copied: 19 octets, its name says 100",
        "INBOX/cur/1600000003.M3P1.h,W=100:2,S: half copied: 27 octets, its name says 100",
        "INBOX/cur/1600000004.M4P1.h:2,: is larger than [store] message_size",
        "INBOX/cur/1600000005.M5P1.h:2,: is empty",
        "INBOX/cur/1600000007.M7P1.h:2,: is a link: left out",
        "INBOX/cur/1600000008.M8P1.h:2,: is not a file",
        "INBOX/cur/1600000009.M9P1.h:2,: is not a file",
        ".Half/cur: is not there: half copied?",
        ".Link: is a link: left out",
        "2 messages imported, 0 here already, 9 left out"])
    imap = server.imap("alice")
    bodies = sorted(row["BODY"] for row in imap.fetch_dict("1:*", "(UID BODY.PEEK[])").values()
                    if "BODY" in row)
    assert len(bodies) == 2
    imap.logout()
    pop3 = server.pop3("alice")
    assert pop3.retr(2)[1] == [b"Subject: nul\0 and\r", b"", b"bare", b"lf \xff"]
    pop3.quit()

    os.rename(box / "cur" / "1600000002.M2P1.h,S=100:2,S", box / "cur" / "1600000002.M2P1.h,S=19:2,S")
    (box / "cur" / "1600000003.M3P1.h,W=100:2,S").write_bytes(letter("whole", 80).replace(b"\n", b"\r\n"))
    for name in ("4.M4", "5.M5", "7.M7", "8.M8"):
        os.remove(box / "cur" / f"160000000{name}P1.h:2,")
    os.rmdir(box / "cur" / "1600000009.M9P1.h:2,")
    os.remove(box / "dovecot-keywords")
    shutil.rmtree(box / ".Half")
    os.remove(box / ".Link")
    rows, lines = run_import(server, "alice", box)
    assert lines == ["2 messages imported, 2 here already, 0 left out"]
    assert count(server, "alice") == 4


def test_broken_indexes_cost_their_uids_and_no_mail(make_server, tmp_path):
    server = make_server(["alice", "bob", "carol"])
    names = [f"160000000{i}.M{i}P1.h" for i in range(1, 5)]
    box = maildir(tmp_path / "Maildir", *((name + ":2,S", letter(name)) for name in names))
    uidlist = box / "dovecot-uidlist"
    uidlist.write_text("3 Vnone N9\n")
    rows, lines = run_import(server, "alice", box, status=3)
    assert lines == ["INBOX/dovecot-uidlist: its first line is broken: UIDs are not kept",
                     "4 messages imported, 0 here already, 0 left out"]
    uidlist.write_text(f"3 V1234567890 N9 Gabc\n4 :{names[0]}\n4 :{names[1]}\nx :{names[2]}\n"
                       f"6 P\x01 :{names[2]}\n7 Ptwice :{names[3]}\n8 Ptwice :gone\n9 :cut of")
    rows, lines = run_import(server, "bob", box, status=3)
    assert lines == [
        "INBOX/dovecot-uidlist: line 4 is broken and left out",
        "INBOX/dovecot-uidlist: line 8 is broken and left out",
        f"INBOX/dovecot-uidlist: UID 4 is given twice; {names[1]} gets a new one",
        f"INBOX/dovecot-uidlist: the UIDL of {names[2]} is none: it gets another",
        "INBOX/dovecot-uidlist: the UIDL of gone is another's too: it gets another",
        "4 messages imported, 0 here already, 0 left out"]
    pop3 = server.pop3("bob")
    assert [line.split()[1] for line in pop3.uidl()[1]] == \
        [b"00000004499602d2", b"00000006499602d2", b"twice", b"00000009499602d2"]
    pop3.quit()
    uidlist.unlink()
    uidlist.mkdir()
    rows, lines = run_import(server, "carol", box, status=3)
    assert lines[0].startswith("INBOX/dovecot-uidlist: cannot be read: ")


def test_names_that_cannot_be_are_mended_and_said(make_server, tmp_path):
    server = make_server(["alice"])
    box = maildir(tmp_path / "Maildir", ("1.M1.h:2,", letter("in")))
    for name in (b".Per%cent", b".Caf\xe9", b".Shared.x", b"." + b"a" * 250, b".Fine.Sub",
                 b".nested&-name"):
        os.makedirs(os.path.join(os.fsencode(box), name, b"cur"))
    deep = os.fsencode(box) + b"/." + b".".join([b"d"] * 40)
    os.makedirs(deep + b"/cur")
    rows, lines = run_import(server, "alice", box, "--mailbox", "Old", status=3)
    assert sorted(lines) == sorted([
        "'Caf?' becomes 'Old/Caf_'",
        "'Per%cent' becomes 'Old/Per_cent'",
        f"'{'/'.join('d' * 40)}' cannot be a mailbox: it is left out",
        "1 messages imported, 0 here already, 1 left out"])
    assert {"Old", "Old/Shared/x", "Old/Fine/Sub"} <= set(rows)
    rows, lines = run_import(server, "alice", box, status=3)
    assert "'Shared/x' becomes 'Shared_/x'" in lines


def test_nothing_to_import_is_one_line(make_server, tmp_path):
    server = make_server(["alice"])
    for arguments, text in (
            (("alice", tmp_path), f"{tmp_path}: no Maildir: there is no cur/ in it or below"),
            (("alice", tmp_path / "no"), f"{tmp_path}/no: No such file or directory"),
            (("nobody", tmp_path), "nobody@example.org: there is no such account")):
        done = server.tool("import", "maildir", *map(str, arguments))
        assert (done.returncode, done.stderr) == (1, f"tandem: {text}\n")
        assert "imported" not in done.stdout
    assert server.tool("import", "maildir", "alice").returncode == 1


def test_a_full_quota_stops_it_until_there_is_room(make_server, tmp_path):
    server = make_server(["alice"])
    assert server.tool("user", "set", "alice", "store.quota_messages=3").returncode == 0
    box = maildir(tmp_path / "Maildir", *((f"{i}.M{i}.h:2,", letter(i)) for i in range(1, 9)))
    rows, lines = run_import(server, "alice", box, status=3)
    assert lines == ["3 messages imported, 0 here already, 0 left out",
                     "stopped: the quota is full; run it again to go on"]
    assert server.tool("user", "unset", "alice", "store.quota_messages").returncode == 0
    rows, lines = run_import(server, "alice", box)
    assert lines == ["5 messages imported, 3 here already, 0 left out"]
    assert count(server, "alice") == 8


def test_what_may_not_be_read_is_said(make_server, tmp_path):
    server = make_server(["alice"])
    public(tmp_path)
    box = maildir(tmp_path / "Maildir", ("1.M1.h:2,", letter("in")), ("2.M2.h:2,", letter("in")))
    os.makedirs(box / ".Closed" / "cur")
    os.chmod(box / "cur" / "1.M1.h:2,", 0)
    os.chmod(box / ".Closed" / "cur", 0)
    user = service_user()  # who may ask the daemon, and is not root
    done = subprocess.run(
        [os.path.join(server.programs, "tandem"), "-c", server.ini, "import", "maildir", "alice",
         str(box)], capture_output=True, text=True, timeout=60, check=False,
        **({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
           if os.geteuid() == 0 else {}))
    assert done.returncode == 3
    assert done.stderr == ("tandem: INBOX/cur/1.M1.h:2,: Permission denied\n"
                           "tandem: .Closed/cur: Permission denied\n")
    assert count(server, "alice") == 1
    os.chmod(box / ".Closed" / "cur", 0o755)


# --- Courier, mbox -------------------------------------------------------------------------------


def test_courier_keeps_uids_uidls_and_order(make_server, tmp_path):
    server = make_server(["alice"])
    box = maildir(tmp_path / "Maildir",
                  *((f"{n}.M1.h,S=12:2,S", b"Subject: %d\n\n" % (n % 10))
                    for n in (1600000001, 1600000002, 1600000003, 1600000004)))
    maildir(box, ("1600000009.M1.h:2,F", letter("sub")), sub=".Lists.dev")
    (box / "courierimapuiddb").write_text(
        "1 1500000000 20\n11 1600000003.M1.h,S=12\n12 1600000001.M1.h,S=12\n"
        "15 1600000002.M1.h,S=12\n")
    (box / "courierpop3dsizelist").write_text(
        "/3 9 1400000000\n1600000001.M1.h,S=12 12 4:1400000000:0\n"
        "1600000002.M1.h,S=12:2,S 12 5:1400000000:0\n1600000003.M1.h,S=12 12 0:0:0\n")
    (box / "courierimapsubscribed").write_text("INBOX\nINBOX.Lists.dev\nINBOX.Gone\n")
    os.mkdir(box / "courierimapkeywords")
    (box / "courierimapkeywords" / ":list").write_text(
        "$Forwarded\nfamily\n\n1600000001.M1.h,S=12:1\n1600000002.M1.h,S=12:0 1\n")
    rows, lines = run_import(server, "alice", box)
    assert lines == ["the subscription to 'Gone' is left out: no such mailbox",
                     "5 messages imported, 0 here already, 0 left out"]
    imap = server.imap("alice", None)
    uidvalidity, found = snapshot(imap, "INBOX")
    assert uidvalidity == 1500000000
    assert {uid: (row[0], row[2][9:10]) for uid, row in found.items()} == {
        11: ({"\\Seen"}, b"3"), 12: ({"\\Seen", "family"}, b"1"),
        15: ({"\\Seen", "$Forwarded", "family"}, b"2"), 20: ({"\\Seen"}, b"4")}
    assert [line for line in ok(imap.lsub('""', "Lists/*")) if b"Lists/dev" in line]
    imap.logout()
    pop3 = server.pop3("alice")
    assert [line.decode().split()[1] for line in pop3.uidl()[1]] == [
        "UID4-1400000000", "UID5-1400000000", "1600000003.M1.h,S=12", "0000001459682f00"]
    assert pop3.retr(1)[1][0] == b"Subject: 1"
    pop3.quit()


MBOX = b"""From alice@example.net Sun Nov 22 06:59:58 2026
Subject: quoted
Status: RO
X-Status: AF
X-Keywords: $Label1
 urgent

>From here on
>>From there on
> From nowhere

From bob Sun Nov 22 2026
From a line that is text

From "Bob B" <bob@example.net> Fri Jan  1 00:00:00 2010 +0100
Subject: counted
Content-Length: 63

text

From text@example.net Sun Nov 22 06:59:58 2026

>From me

From carol@example.net  Sun Nov  1 06:59 EST 2026
Subject: the same

twice

From carol@example.net Sun Nov  1 06:59:00 2026
Subject: the same

twice
"""


def test_mbox_of_every_kind(make_server, tmp_path):
    server = make_server(["alice"])
    (tmp_path / "mbox").write_bytes(MBOX)
    rows, lines = run_import(server, "alice", tmp_path / "mbox", "--mailbox", "Old/2026",
                             kind="mbox")
    assert lines == ["4 messages imported, 0 here already, 0 left out"]
    imap = server.imap("alice", None)
    _, found = snapshot(imap, "Old/2026")
    imap.logout()
    assert [row[0] for row in found.values()] == [
        {"\\Seen", "\\Answered", "\\Flagged", "$Label1", "urgent"}, set(), set(), set()]
    assert [row[2].replace(b"\r\n", b"\n") for row in found.values()] == [
        b"Subject: quoted\n\nFrom here on\n>From there on\n> From nowhere\n\n"
        b"From bob Sun Nov 22 2026\nFrom a line that is text\n",
        b"Subject: counted\n\ntext\n\nFrom text@example.net Sun Nov 22 06:59:58 2026\n\n>From me\n",
        b"Subject: the same\n\ntwice\n", b"Subject: the same\n\ntwice\n"]
    assert found[2][1].timestamp() == 1262300400
    rows, lines = run_import(server, "alice", tmp_path / "mbox", "--mailbox", "Old/2026",
                             kind="mbox")
    assert lines == ["0 messages imported, 4 here already, 0 left out"]

    # more of it; another is cut off, a third is none
    with open(tmp_path / "mbox", "ab") as f:
        f.write(b"\nFrom dave@example.net Sun Nov 22 08:00:00 2026\nSubject: late\n\nlate\n")
    os.makedirs(tmp_path / "dir" / "Work.sbd")
    os.rename(tmp_path / "mbox", tmp_path / "dir" / "inbox")
    (tmp_path / "dir" / "Work").write_bytes(
        b"From x Sun Nov 22 08:00:00 2026\nContent-Length: 100\n\ncut")
    (tmp_path / "dir" / "Work.sbd" / "Sub").write_bytes(MBOX)
    (tmp_path / "dir" / "Work.msf").write_bytes(b"index")
    (tmp_path / "dir" / "notes").write_bytes(b"no mail")
    rows, lines = run_import(server, "alice", tmp_path / "dir", status=3, kind="mbox")
    assert lines == [
        "Work: message 1: half copied: 3 octets of text, its Content-Length says 100",
        "notes: is no mbox: it does not begin with a From_ line",
        "9 messages imported, 0 here already, 2 left out"]
    assert {name: row["imported"] for name, row in rows.items()} == \
        {"INBOX": 5, "Work": 0, "Work/Sub": 4}


def test_mbox_of_dovecot_keeps_uids(build, make_server, tmp_path):
    server = make_server(["alice"])
    public(tmp_path)
    dovecot = Dovecot(debian_dovecot(build), tmp_path / "mail",
                      service_user().pw_name, "mbox", f":INBOX={tmp_path}/mail/INBOX")
    imap = dovecot.imap()
    ok(imap.create("Work"))
    for i, mail in enumerate(mails(6)):
        ok(imap.append("INBOX", ["", "\\Seen $Label1", "\\Draft"][i % 3],
                       imaplib_date(1600000000 + i), mail))
    ok(imap.append("Work", "\\Flagged", imaplib_date(1600000000),
                   b"Subject: From\r\n\r\nFrom me\r\n\r\n>From you\r\n"))
    ok(imap.select("INBOX"))
    ok(imap.store("2", "+FLAGS", "\\Deleted"))
    ok(imap.expunge())
    before = {name: snapshot(imap, name) for name in ("INBOX", "Work")}
    imap.logout()
    rows, lines = run_import(server, "alice", dovecot.maildir, kind="mbox")
    assert lines == ["6 messages imported, 0 here already, 0 left out"]
    imap = server.imap("alice", None)
    assert {name: snapshot(imap, name) for name in before} == before
    imap.logout()


# --- export --------------------------------------------------------------------------------------


ODD = [b"Subject: no end\r\n\r\nlast line", b"Subject: cr\r\r\n\r\na\rb\r\r\n\r\n",
       b"Subject: quote\r\n\r\nFrom me\r\n>From you\r\n>>From all\r\n\r\nFrom a@b Sun Nov 22 06:59:58 2026\r\n",
       b"Subject: empty\r\n\r\n", b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 250_000,
       b"Subject: nul \xff\r\n\r\n\0\r\n"]


@pytest.fixture
def filled(make_server):
    """alice with folders, flags, keywords, dates, a moved message that POP3 knows, and mail of every
    shape; and what her clients see: (mailboxes, UIDLs)."""
    server = make_server(["alice", "bob", "carol"])
    imap = server.imap("alice", None)
    for name in ("Work/2025/Q1", "Entw&APw-rfe", "Empty"):
        ok(imap.create(f'"{name}"'))
    ok(imap.subscribe('"Work/2025/Q1"'))
    for i, mail in enumerate([*mails(20), *ODD]):
        flags = ["", "\\Seen", "\\Seen \\Answered", "\\Flagged $Label1", "urgent \\Draft"][i % 5]
        if b"\0" in mail:  # by the door that takes it
            server.deliver(mail, "alice")
        else:
            ok(imap.append("INBOX" if i % 4 else '"Work/2025/Q1"', flags,
                           imaplib_date(1500000000 + 86400 * i), mail))
    ok(imap.select("INBOX"))
    ok(imap.store("3", "+FLAGS.SILENT", "\\Deleted"))
    ok(imap.expunge())
    pop3 = server.pop3("alice")
    pop3.retr(1)
    pop3.quit()
    ok(imap.copy("4", '"Entw&APw-rfe"'))
    ok(imap._simple_command("MOVE", "1:2", "Archive"))
    imap.logout()
    return server


NAMES = ("INBOX", "Work/2025/Q1", "Entw&APw-rfe", "Empty", "Archive")


def seen_by_clients(server, user):
    imap = server.imap(user, None)
    boxes = {name: snapshot(imap, name) for name in NAMES}
    imap.logout()
    return boxes, uidls(lambda: server.pop3(user))


def run_export(server, *arguments, kind="maildir", status=0):
    done = server.tool("export", kind, "--json", *map(str, arguments))
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return [line.removeprefix("tandem: ") for line in done.stderr.splitlines()]


@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_a_maildir_comes_back_as_it_was(filled, tmp_path, down):
    before = seen_by_clients(filled, "alice")
    if down:
        filled.stop()
    total = sum(len(box[1]) for box in before[0].values())
    assert run_export(filled, "alice", tmp_path / "out") == [f"{total} messages in 11 mailboxes"]
    files = files_of(tmp_path / "out")
    assert len(files) == total == 26
    uidlist = (tmp_path / "out" / ".Archive" / "dovecot-uidlist").read_text().splitlines()
    assert re.fullmatch(r"3 V\d+ N3", uidlist[0])
    assert re.fullmatch(r"1 P00000001[0-9a-f]{8} :\d+\.U1V\d+\.tandem,S=\d+,W=\d+", uidlist[1])
    os.remove(sorted(files)[0])
    with open(sorted(files)[1], "r+b") as f:
        f.truncate(3)
    assert run_export(filled, "alice", tmp_path / "out") == [f"{total} messages in 11 mailboxes"]
    again = files_of(tmp_path / "out")
    assert set(again) == set(files)
    assert again[sorted(files)[1]][2] > 3
    rows, lines = run_import(filled, "bob", tmp_path / "out")
    assert lines == [f"{total} messages imported, 0 here already, 0 left out"]
    if down:
        filled.start()
    assert seen_by_clients(filled, "bob") == before
    lines = run_export(filled, "carol", tmp_path / "out", status=1)
    assert "there is the mail of alice@example.org; export into an empty folder" in lines
    assert lines[-1] == "the files are not whole"


def test_dovecot_takes_an_exported_maildir_over(build, filled, tmp_path):
    public(tmp_path)
    boxes, known = seen_by_clients(filled, "alice")
    run_export(filled, "alice", tmp_path / "out")
    dovecot = Dovecot(debian_dovecot(build), tmp_path / "out",
                      service_user().pw_name)
    if os.geteuid() == 0:
        for path, _, names in os.walk(tmp_path / "out"):
            for name in [path] + [os.path.join(path, name) for name in names]:
                shutil.chown(name, service_user().pw_name)
    imap = dovecot.imap()
    now = {name: snapshot(imap, name.replace("/", ".")) for name in NAMES}
    subscribed = b"\n".join(ok(imap.lsub()))
    imap.logout()
    for name in NAMES:
        # Dovecot ends a line that was not ended, and shows no NUL
        assert now[name][0] == boxes[name][0], name
        assert {uid: row[:2] for uid, row in now[name][1].items()} == \
            {uid: row[:2] for uid, row in boxes[name][1].items()}, name
        for uid, row in boxes[name][1].items():
            assert now[name][1][uid][2].replace(b"\0", b"\x80") == \
                row[2].replace(b"\0", b"\x80"), (name, uid)
    assert b"Work.2025.Q1" in subscribed and b"Archive" in subscribed
    front = Front("127.250." + filled.address.split(".", 2)[2], PORTS["pop3"], dovecot.serve_pop3)
    assert uidls(lambda: connect_pop3(front)) == known
    front.close()


def test_mbox_comes_back_as_it_was(build, filled, tmp_path):
    boxes, _ = seen_by_clients(filled, "alice")
    total = sum(len(box[1]) for box in boxes.values())
    run_export(filled, "alice", tmp_path / "out", kind="mbox")
    lines = run_export(filled, "alice", tmp_path / "out", kind="mbox")
    assert f"{total} messages in 11 mailboxes" in lines
    # what only an mbox's own fields may be called
    of_its_own = {(name, uid) for name, box in boxes.items() for uid, row in box[1].items()
                  if re.match(rb"(?s)(?:.*\r\n)?Status: ", row[2].split(b"\r\n\r\n")[0])}
    assert {line for line in lines if "of its own" in line} == {
        f"{name}: UID {uid} has a field Status of its own; whoever reads the mbox takes it away"
        for name, uid in of_its_own}
    rows, lines = run_import(filled, "bob", tmp_path / "out", kind="mbox")
    assert lines == [f"{total} messages imported, 0 here already, 0 left out"]
    now, _ = seen_by_clients(filled, "bob")
    for name, uid in of_its_own:
        flags, date, octets = boxes[name][1][uid]
        boxes[name][1][uid] = flags, date, re.sub(rb"Status: .*\r\n", b"", octets, count=1)
    for name in NAMES:
        assert now[name][1] == boxes[name][1], name
        assert not now[name][1] or now[name][0] == boxes[name][0]
    (tmp_path / "out" / "INBOX").write_bytes(b"something else")
    assert "INBOX: is there and holds something else; export into an empty folder" in \
        run_export(filled, "alice", tmp_path / "out", kind="mbox", status=1)


def test_export_says_what_it_cannot(filled, tmp_path):
    for arguments, text in (
            (("nobody", tmp_path / "x"), "nobody@example.org: there is no such account"),
            (("alice", "--mailbox", "Nope", tmp_path / "x"), "Nope: there is no such mailbox"),
            (("alice", tmp_path / "no" / "no"), f"{tmp_path}/no/no: No such file or directory"),
            (("alice", tmp_path), "there are other files; export into an empty folder")):
        (tmp_path / "file").touch()
        assert text in run_export(filled, *arguments, status=1)


# --- broken off ----------------------------------------------------------------------------------


@pytest.fixture
def large(tmp_path):
    """A Maildir of 3000 messages with UIDs, some missing in between; its UIDs."""
    box = maildir(tmp_path / "Maildir")
    uids = [uid for uid in range(1, 3600) if uid % 6]
    for uid in uids:
        (box / "cur" / f"16000{uid:05}.M{uid}.h:2,S").write_bytes(letter(uid, 2000))
    (box / "dovecot-uidlist").write_text("3 V1234567890 N4000\n" + "".join(
        f"{uid} :16000{uid:05}.M{uid}.h\n" for uid in uids))
    return box, uids


def uids_of(server, user):
    imap = server.imap(user)
    found = [int(uid) for uid in ok(imap.uid("SEARCH", "ALL"))[0].split()]
    uidnext = int(re.search(rb"UIDNEXT (\d+)", ok(imap.status("INBOX", "(UIDNEXT)"))[0]).group(1))
    imap.logout()
    return found, uidnext


def arrived(server, user):
    try:
        return count(server, user)
    except imaplib.IMAP4.abort:  # the mailbox got its UIDVALIDITY: sessions are ended
        return 0


@pytest.mark.parametrize("victim", ["tool", "daemon"])
def test_an_import_that_is_killed_is_completed_by_the_next(make_server, large, victim):
    server = make_server(["alice"])
    box, uids = large
    tool = subprocess.Popen([os.path.join(server.programs, "tandem"), "-c", server.ini, "import",
                             "maildir", "alice", str(box)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while tool.poll() is None and arrived(server, "alice") == 0:
        pass
    if victim == "tool":
        tool.kill()
    else:
        server.kill()
        server.start()
    tool.wait(60)
    # the daemon finishes what it had, or breaks off
    deadline = time.monotonic() + 60
    while (status := server.tool("import", "maildir", "--json", "alice", str(box))).returncode:
        assert "another import is under way" in status.stderr, status.stderr
        assert time.monotonic() < deadline
    assert json.loads(status.stdout)[0]["skipped"] == 0
    assert uids_of(server, "alice") == (uids, 4000)
    assert server.tool("check", "--bodies").returncode == 0


def test_layout_fs_and_utf8_names(make_server, tmp_path):
    server = make_server(["alice"])
    box = maildir(tmp_path / "Maildir", ("1.M1.h:2,", letter("root")))
    for sub in ("Work/2025/Q1", "Entwürfe", "a.b", "&AOk-"):
        maildir(box, ("1.M1.h:2,", letter(sub.encode().hex())), sub=sub)
    (box / "subscriptions").write_text("Work/2025/Q1\nEntwürfe\n")
    rows, lines = run_import(server, "alice", box)
    assert lines == ["5 messages imported, 0 here already, 0 left out"]
    assert set(rows) == {"INBOX", "Work/2025/Q1", "Entwürfe", "a.b", "&AOk-"}
    shutil.rmtree(box / "Entwürfe")
    (box / "subscriptions").unlink()
    rows, lines = run_import(server, "alice", box, "--dry-run")
    assert lines == ["1 messages to import, 3 here already, 0 left out"]
    assert rows["é"]["imported"] == 1


def test_sessions_that_have_the_mailbox_open_select_it_anew(make_server, large):
    server = make_server(["alice"])
    imap = server.imap("alice")
    imap.idle()
    run_import(server, "alice", large[0])
    said = []
    while not said or said[-1]:
        said.append(imap.idle_line())
    assert said[-2].startswith(b"* BYE"), said
