"""Programs that people read and keep mail with, against one account."""
import email
import mailbox
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import PASSWORD, PORTS, getmail, ok

HERE = os.path.dirname(os.path.abspath(__file__))
MAIL = os.path.join(os.path.dirname(HERE), "mail")


def mails():
    for name in sorted(name for name in os.listdir(MAIL) if name.endswith(".eml")):
        with open(os.path.join(MAIL, name), "rb") as f:
            yield name, f.read()


def run(arguments, home, **more):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "HOME": str(home)}, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def by_message_id(folder):
    """{Message-ID: octets with LF} of a Maildir folder, with the flags of each."""
    found = {}
    for message in mailbox.Maildir(folder, create=False):
        found[message["Message-ID"]] = message
    return found


def over_imap(server, user, name="INBOX"):
    """{Message-ID: set of flags} as the server has them."""
    imap = server.imap(user, name)
    rows = imap.fetch_dict("1:*", "(UID FLAGS)", uid=False)
    bodies = imap.fetch_dict("1:*", "(UID BODY.PEEK[])", uid=False)
    imap.logout()
    return {email.message_from_bytes(bodies[uid]["BODY"])["Message-ID"]:
            set(rows[uid]["FLAGS"]) - {"\\Recent"} for uid in rows}


@pytest.fixture
def open_path():
    """A folder that other users can enter, which pytest's own is not."""
    path = tempfile.mkdtemp(prefix="tandem-imap-")
    os.chmod(path, 0o755)
    yield Path(path)
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(make_server):
    server = make_server(["alice"])
    imap = server.imap("alice")
    for _, text in mails():
        ok(imap.append("INBOX", None, None, text.replace(b"\n", b"\r\n")))
    ok(imap.create("Archive/2026"))
    imap.logout()
    return server


WRITTEN_NEAR = b"From: alice@example.org\nMessage-ID: <written-near>\nSubject: near\n\nhello\n"


def carries_both_ways(server, home, synchronise, made_far):
    """Flags, new mail, removals and folders, made on both sides between two runs. `made_far`: where
    the folder Made far/Below is on this side."""
    synchronise(server, home)
    inbox = home / "mail" / "INBOX"
    near, far = by_message_id(inbox), over_imap(server, "alice")
    assert set(near) == set(far) and len(near) > 20
    assert (home / "mail" / made_far.replace("Made far", "Archive").replace("Below", "2026")).is_dir()

    flagged, removed, answered, expunged = sorted(i for i in near if i)[:4]
    folder = mailbox.Maildir(inbox, create=False)
    names = {message["Message-ID"]: key for key, message in folder.items()}
    message = folder[names[flagged]]
    message.set_subdir("cur")
    message.add_flag("FS")
    folder[names[flagged]] = message
    folder.remove(names[removed])
    folder.add(WRITTEN_NEAR)
    mailbox.Maildir(home / "mail" / "Made near").add(WRITTEN_NEAR)
    imap = server.imap("alice")
    number = ok(imap.search(None, "HEADER", "Message-ID", answered))[0].split()[0]
    ok(imap.store(number, "+FLAGS", "\\Answered"))
    ok(imap.create('"Made far/Below"'))
    ok(imap.copy(number, '"Made far/Below"'))
    number = ok(imap.search(None, "HEADER", "Message-ID", expunged))[0].split()[0]
    ok(imap.store(number, "+FLAGS", "\\Deleted"))
    ok(imap.expunge())
    imap.logout()

    synchronise(server, home)
    near, far = by_message_id(inbox), over_imap(server, "alice")
    assert set(near) == set(far)
    assert far[flagged] == {"\\Flagged", "\\Seen"}
    assert "R" in near[answered].get_flags()
    assert removed not in far and expunged not in near and "<written-near>" in far
    assert list(over_imap(server, "alice", '"Made near"')) == ["<written-near>"]
    assert set(by_message_id(home / "mail" / made_far)) == {answered}


def mbsync(server, home):
    config = home / "mbsyncrc"
    config.write_text(f"""
IMAPAccount tandem
Host {server.address}
Port {PORTS['imap']}
User alice
Pass {PASSWORD}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account tandem

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")
    (home / "mail").mkdir(exist_ok=True)
    return run(["mbsync", "-c", str(config), "-a"], home)


def test_mbsync_carries_both_ways(server, tmp_path):
    carries_both_ways(server, tmp_path, mbsync, "Made far/Below")


def offlineimap(server, home):
    config = home / "offlineimaprc"
    config.write_text(f"""
[general]
accounts = tandem
ui = basic
[Account tandem]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {home}/mail
[Repository far]
type = IMAP
remotehost = {server.address}
remoteport = {PORTS['imap']}
remoteuser = alice
remotepass = {PASSWORD}
ssl = no
starttls = no
auth_mechanisms = LOGIN
""")
    return run(["offlineimap", "-c", str(config), "-o"], home)


def test_offlineimap_carries_both_ways(server, tmp_path):
    carries_both_ways(server, tmp_path, offlineimap, "Made far.Below")


def brought(server, home, mailboxes, delete=False):
    """What came with this run of getmail."""
    new = home / "Mail" / "new"
    before = set(new.iterdir()) if new.exists() else set()
    getmail(home, "SimpleIMAPRetriever", server, "alice", delete, f"mailboxes = {mailboxes}")
    return [path.read_bytes() for path in set(new.iterdir()) - before]


def test_getmail_keeps_and_deletes(server, open_path):
    imap = server.imap("alice")
    ok(imap.copy("1:3", "Archive/2026"))
    total = len(over_imap(server, "alice"))
    keeper, taker = open_path / "keeper", open_path / "taker"
    assert len(brought(server, keeper, "('INBOX', 'Archive/2026')")) == total + 3
    assert brought(server, keeper, "('INBOX', 'Archive/2026')") == []
    server.deliver(b"Subject: since\r\n\r\nnews\r\n", "alice")
    assert [mail.endswith(b"\n\nnews\n") for mail in brought(server, keeper, "ALL")] == [True]
    assert len(brought(server, taker, "('INBOX',)", delete=True)) == total + 1
    ok(imap.noop())
    assert ok(imap.select("INBOX")) == [b"0"], "what was taken is gone"
    assert len(over_imap(server, "alice", "Archive/2026")) == 3
    imap.logout()


def curl(server, path, *arguments, text=True):
    done = subprocess.run(["curl", "-s", "-S", "-k", "--ssl-reqd", "--user", f"alice:{PASSWORD}",
                           *arguments, f"imap://{server.address}:{PORTS['imap']}/{path}"],
                          capture_output=True, timeout=60, check=True)
    return done.stdout.decode().replace("\r\n", "\n") if text else done.stdout


def test_curl_reads_searches_stores_and_appends(server, tmp_path):
    texts = [text for _, text in mails()]
    assert '* LIST (\\HasNoChildren) "/" "INBOX"' in curl(server, "").splitlines()
    assert curl(server, "INBOX;UID=3", text=False) == texts[2].replace(b"\n", b"\r\n")
    assert curl(server, "INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)").startswith("Subject:")
    assert curl(server, "INBOX;MAILINDEX=2;SECTION=TEXT").strip()
    assert curl(server, "INBOX?SUBJECT%20lunch").startswith("* SEARCH ")
    assert "\\Flagged" in curl(server, "INBOX", "-X", "STORE 1 +FLAGS (\\Flagged)")
    letter = tmp_path / "letter.eml"
    letter.write_bytes(b"Subject: by curl\r\n\r\nhello\r\n")
    curl(server, "Drafts", "-T", str(letter))
    imap = server.imap("alice", "Drafts")
    assert imap.fetch_dict("1", "(UID BODY.PEEK[])")[1]["BODY"] == letter.read_bytes()
    imap.logout()


def test_parts_by_number_are_the_parts_that_python_sees(server):
    """What BODYSTRUCTURE counts and BODY[n] gives, against the other reading of the same octets."""
    imap = server.imap("alice")
    looked = 0
    for number, (name, text) in enumerate(mails(), 1):
        message = email.message_from_bytes(text.replace(b"\n", b"\r\n"))
        if not message.is_multipart():
            continue
        for n, part in enumerate(message.get_payload(), 1):
            answer = ok(imap.fetch(str(number), f"(BODY.PEEK[{n}.MIME])"))
            fields = email.message_from_bytes(answer[0][1])
            assert fields.items() == part.items(), name
            looked += 1
        answer = ok(imap.fetch(str(number), f"(BODY.PEEK[{len(message.get_payload()) + 1}])"))
        assert answer[0].endswith(b"NIL)"), name
    assert looked > 10
    imap.logout()
