"""cmd/quickstart in an empty folder: what it prints can be pasted, and run again it is the same."""
import glob
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import threading

import pytest
from conftest import ROOT

MESSAGES = len(glob.glob(os.path.join(ROOT, "tests", "mail", "*.eml")))


def free_ports():
    """Five free ports in a row, below those that connect() takes."""
    for first in range(20000 + os.getpid() % 1000 * 10, 32000, 10):
        try:
            for port in range(first, first + 5):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise RuntimeError("no free ports")


@pytest.fixture
def folder():
    """Unlike pytest's own, open to the user that the server becomes."""
    with tempfile.TemporaryDirectory(prefix="tandem-quickstart-") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


class Quickstart:
    def __init__(self, folder, *options):
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "cmd", "quickstart"), "--dir", str(folder), "--no-install", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.errors, self.lines = [], []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr))
        self.reader.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if "Tandem is ready" in line:
                return
        self.reader.join()
        raise AssertionError("it ended before it was ready:\n" + "".join(self.errors[-60:]))

    def curls(self):
        return [line.strip() for line in self.lines if line.strip().startswith("curl ")]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def run(command):
    done = subprocess.run(shlex.split(command) + ["--silent", "--show-error", "--max-time", "20"],
                          capture_output=True, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def test_what_it_prints_can_be_pasted(folder):
    first = free_ports()
    quick = Quickstart(folder / "quick", "--ports-from", str(first))
    try:
        curls = quick.curls()
        assert len(curls) >= 4
        assert any("pop3://" in c for c in curls) and any("imap://" in c for c in curls)
        outputs = {c: run(c) for c in curls}
        listing = next(o for c, o in outputs.items() if re.search(r"pop3://\S+:\d+/$", c))
        assert len(listing.splitlines()) == MESSAGES
        one = next(o for c, o in outputs.items() if "pop3://" in c and c.endswith("/1"))
        same = next(o for c, o in outputs.items() if "imap://" in c and "UID=1" in c)
        assert one == same and b"Subject:" in one
    finally:
        assert quick.stop() == 0

    certificate = (folder / "quick" / "certificate.pem").read_bytes()
    quick = Quickstart(folder / "quick")
    try:
        assert quick.curls() == curls, "the same ports, the same account"
        assert {c: run(c) for c in curls} == outputs, "no message twice"
        assert (folder / "quick" / "certificate.pem").read_bytes() == certificate
    finally:
        assert quick.stop() == 0


def test_accounts_from_options_and_file(folder):
    users = folder / "users"
    users.write_text("".join(f"user{n}:pw{n}\n" for n in range(1000)))
    first = free_ports()
    quick = Quickstart(folder / "quick", "--ports-from", str(first), "--user", "bob:b:o:b",
                       "--users-file", str(users), "--empty")
    try:
        for account in ("bob:b:o:b", "user0:pw0", "user999:pw999"):
            assert run(f"curl --user {account} pop3://localhost:{first}/").strip() == b""
        with pytest.raises(AssertionError):
            run(f"curl --user bob:wrong pop3://localhost:{first}/")
    finally:
        assert quick.stop() == 0
