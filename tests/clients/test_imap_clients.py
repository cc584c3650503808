"""Programs that people read and keep mail with, against one account."""
import email
import mailbox
import os
import subprocess

import pytest
from conftest import PASSWORD, PORTS, ok

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
def server(make_server):
    server = make_server(["alice"])
    imap = server.imap("alice")
    for _, text in mails():
        ok(imap.append("INBOX", None, None, text.replace(b"\n", b"\r\n")))
    ok(imap.create("Archive/2026"))
    imap.logout()
    return server


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
    mbsync(server, tmp_path)
    near = by_message_id(tmp_path / "mail" / "INBOX")
    far = over_imap(server, "alice")
    assert set(near) == set(far) and len(near) > 20
    assert (tmp_path / "mail" / "Archive" / "2026").is_dir()

    # near: a flag, a removal, a new message; far: a flag
    folder = mailbox.Maildir(tmp_path / "mail" / "INBOX", create=False)
    names = {message["Message-ID"]: key for key, message in folder.items()}
    flagged, removed, answered = sorted(i for i in names if i)[:3]
    message = folder[names[flagged]]
    message.set_subdir("cur")
    message.add_flag("FS")
    folder[names[flagged]] = message
    folder.remove(names[removed])
    folder.add(b"From: alice@example.org\nMessage-ID: <written-near>\nSubject: near\n\nhello\n")
    imap = server.imap("alice")
    number = ok(imap.search(None, "HEADER", "Message-ID", answered))[0].split()[0]
    ok(imap.store(number, "+FLAGS", "\\Answered"))
    imap.logout()

    mbsync(server, tmp_path)
    far = over_imap(server, "alice")
    assert far[flagged] == {"\\Flagged", "\\Seen"}
    assert removed not in far and "<written-near>" in far
    near = by_message_id(tmp_path / "mail" / "INBOX")
    assert set(near) == set(far)
    assert "R" in near[answered].get_flags()


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
    offlineimap(server, tmp_path)
    near = by_message_id(tmp_path / "mail" / "INBOX")
    far = over_imap(server, "alice")
    assert set(near) == set(far) and len(near) > 20
    folder = mailbox.Maildir(tmp_path / "mail" / "INBOX", create=False)
    folder.add(b"From: alice@example.org\nMessage-ID: <written-near>\nSubject: near\n\nhello\n")
    imap = server.imap("alice")
    ok(imap.store("1", "+FLAGS", "\\Deleted"))
    ok(imap.expunge())
    imap.logout()
    offlineimap(server, tmp_path)
    far = over_imap(server, "alice")
    assert "<written-near>" in far
    assert set(by_message_id(tmp_path / "mail" / "INBOX")) == set(far)


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
