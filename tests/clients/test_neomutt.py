"""NeoMutt in a terminal of its own, keys pushed to it, with its caches of headers and bodies."""
import email
import os
import pty
import select
import subprocess
import time

import pytest
from conftest import PASSWORD, PORTS, ok
from test_imap_clients import mails, over_imap

TIMEOUT = 60


class Neomutt:
    def __init__(self, server, home):
        self.home, self.rc = home, home / "neomuttrc"
        (home / "bodies").mkdir()
        self.rc.write_text(f"""
set imap_user=alice imap_pass={PASSWORD} ssl_starttls=no ssl_force_tls=no
set folder=imap://{server.address}:{PORTS['imap']}/ postponed==Drafts record==Sent
set header_cache={home}/headers message_cachedir={home}/bodies
set delete=yes move=no quit=yes resolve=no confirmappend=no confirmcreate=yes
set wait_key=no sleep_time=0 mark_old=no
set sort=mailbox-order pipe_decode=no from=alice@example.org sendmail=/bin/true
set editor="cp {home}/letter" abort_unmodified=no
""")

    def run(self, *arguments):
        """With the far end of a terminal for input and output; returns when it has ended."""
        near, far = pty.openpty()
        with subprocess.Popen(["neomutt", "-n", "-F", str(self.rc), *arguments], stdin=far,
                              stdout=far, stderr=far, close_fds=True,
                              env={**os.environ, "HOME": str(self.home), "TERM": "xterm"}) as it:
            os.close(far)
            said, until = b"", time.monotonic() + TIMEOUT
            try:
                while select.select([near], [], [], max(0, until - time.monotonic()))[0]:
                    said += os.read(near, 65536)
                it.kill()
            except OSError:
                pass  # EIO: nobody has the far end any more
            os.close(near)
            assert it.wait() == 0, said[-3000:]

    def keys(self, keys, folder="=INBOX"):
        self.run("-z", "-f", folder, "-e", f'push "{keys}<quit>"')

    def matching(self, pattern, folder="=INBOX"):
        """The octets of the messages that match, one behind the other, as NeoMutt has them."""
        piped = self.home / "piped"
        piped.unlink(missing_ok=True)
        self.keys(f"<tag-pattern>{pattern}<enter><tag-prefix><pipe-message>cat > {piped}<enter>",
                  folder)
        return piped.read_bytes()


@pytest.fixture
def server(make_server):
    server = make_server(["alice"])
    imap = server.imap("alice")
    for _, text in mails():
        ok(imap.append("INBOX", None, None, text.replace(b"\n", b"\r\n")))
    ok(imap.create("Archive/2026"))
    imap.logout()
    return server


def test_neomutt_flags_saves_and_deletes(server, tmp_path):
    neomutt = Neomutt(server, tmp_path)
    before = list(over_imap(server, "alice"))
    neomutt.keys("<first-entry><flag-message><toggle-new>"
                 "<next-entry><delete-message>"
                 "<next-entry><save-message><kill-line>=Archive/2026<enter>"
                 "<next-entry><copy-message><kill-line>=Archive/2026<enter>"
                 "<sync-mailbox>")
    after = over_imap(server, "alice")
    assert list(after) == before[:1] + before[3:]
    assert "\\Flagged" in after[before[0]]
    assert list(over_imap(server, "alice", "Archive/2026")) == before[2:4]


def test_neomutt_believes_its_cache_only_while_it_is_true(server, tmp_path):
    neomutt = Neomutt(server, tmp_path)
    texts = [text for _, text in mails()]
    assert neomutt.matching("~A").replace(b"\r\n", b"\n").startswith(texts[0])
    assert (tmp_path / "headers").exists() and any((tmp_path / "bodies").iterdir())
    imap = server.imap("alice")
    ok(imap.store("3", "+FLAGS", "\\Flagged"))
    ok(imap.store("1:2", "+FLAGS", "\\Deleted"))
    ok(imap.expunge())
    imap.logout()
    server.deliver(b"Subject: arrived since\r\n\r\nnews\r\n", "alice")
    said = neomutt.matching("~F")
    assert email.message_from_bytes(said)["Message-ID"] == \
        email.message_from_bytes(texts[2])["Message-ID"]
    assert neomutt.matching("~s arrived").endswith(b"news\n")


def test_neomutt_sends_to_a_folder_and_makes_one(server, tmp_path):
    neomutt = Neomutt(server, tmp_path)
    (tmp_path / "letter").write_text("Dear Bob,\n\n.\nyours\n")
    neomutt.keys("<mail>bob@example.net<enter>a copy is kept<enter><send-message>")
    imap = server.imap("alice", "Sent")
    sent = imap.fetch_dict("1:*", "(UID FLAGS BODY.PEEK[])")
    assert len(sent) == 1 and "\\Seen" in sent[1]["FLAGS"]
    assert sent[1]["BODY"].endswith(b"Dear Bob,\r\n\r\n.\r\nyours\r\n")
    imap.logout()
    neomutt.keys("<first-entry><copy-message><kill-line>=New/Folder<enter>y")
    assert len(over_imap(server, "alice", "New/Folder")) == 1
