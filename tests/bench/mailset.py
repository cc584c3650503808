"""The mail of the bench: messages of given sizes as files, and sets of them in accounts.

A set is put in once and kept with the server's store; a scenario names the sets that it needs.
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))

import corpus  # noqa: E402

MARK = b"@@@@@@@@"  # the load generator writes a number over it: no message is another's copy


def fixed(size, seed=1):
    """A message of exactly `size` octets: text, and an attachment when it is large."""
    rng = random.Random(seed * 1_000_003 + size)
    head = (b"Return-Path: <anna@example.org>\r\nFrom: Anna <anna@example.org>\r\n"
            b"To: Bob <bob@example.org>, Carol <carol@example.net>\r\nSubject: Minutes " +
            corpus.sentence(rng, "us-ascii").encode() + b"\r\n"
            b"Date: Mon, 24 Nov 2025 10:00:00 +0100\r\nMessage-ID: <" + MARK + b"." +
            str(seed).encode() + b"@example.org>\r\nMIME-Version: 1.0\r\n"
            b'Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n')
    text = corpus.text(rng, "us-ascii", min(size // 3, 3000)).encode().replace(b"\n", b"\r\n")
    body = (b"--=_b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" + text +
            b'--=_b\r\nContent-Type: application/pdf; name="minutes.pdf"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n")
    tail = b"\r\n--=_b--\r\n"
    room = size - len(head) - len(body) - len(tail)
    lines = []
    while room > 78:
        lines.append(bytes(rng.choices(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/",
                                       k=76)) + b"\r\n")
        room -= 78
    return head + body + b"".join(lines) + b"A" * room + tail


def varied(count, seed=7):
    """Messages of real shape, 42 KB on average, each with a place for a number."""
    for octets in corpus.messages(count, seed):
        yield octets.replace(b"\r\nMIME-Version:", b"\r\nX-Number: " + MARK + b"\r\nMIME-Version:",
                             1)


def stuffed(octets):
    """As the octets of DATA: dots doubled, the end mark behind."""
    octets = octets.replace(b"\r\n.", b"\r\n..")
    return octets + b".\r\n"


class Files:
    """The messages as files in a folder: made once."""

    def __init__(self, folder):
        self.dir = folder
        os.makedirs(folder, exist_ok=True)

    def _write(self, name, octets):
        path = os.path.join(self.dir, name)
        if not os.path.exists(path):
            with open(path + ".new", "wb") as f:
                f.write(octets)
            os.rename(path + ".new", path)
        return path

    def message(self, size):
        return self._write(f"{size}.eml", fixed(size))

    def data(self, size):
        return self._write(f"{size}.data", stuffed(fixed(size)))

    def folder(self, name, make):
        path = os.path.join(self.dir, name)
        if not os.path.isdir(path):
            os.mkdir(path + ".new")
            for number, octets in enumerate(make(), 1):
                with open(os.path.join(path + ".new", f"{number:05d}"), "wb") as f:
                    f.write(octets)
            os.rename(path + ".new", path)
        return path

    def varied(self):
        return self.folder("varied", lambda: varied(500))

    def small(self):
        return self.folder("small", lambda: (fixed(1500 + 37 * i, i) for i in range(50)))
