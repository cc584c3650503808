"""IMAP as octets: whole responses out of a socket, and the data in them as lists.

imaplib hides what a strict test looks at: which response came while which command was under way.
"""
import re
import select
import socket

LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
TOKEN = re.compile(rb"""(?P<literal>\{(?P<octets>\d+)\}\r\n)
                      | "(?P<quoted>(?:[^"\\\r\n\x80-\xff\0]|\\["\\])*)"
                      | (?P<open>\() | (?P<close>\)) | (?P<blank>\ )
                      | (?P<atom>[^\s()"{\[\]]+(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\](?:<\d+>)?)?)""",
                   re.X)


class Wire:
    """One connection; sends what it is told to and cuts what comes into responses."""

    def __init__(self, address, port, timeout=60):
        self.sock = socket.create_connection((address, port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.tags = 0

    def close(self):
        self.sock.close()

    def send(self, octets):
        self.sock.sendall(octets)

    def _whole(self):
        """The length of the response that the buffer begins with; 0: it is not whole yet."""
        at = 0
        while True:
            end = self.buffer.find(b"\n", at)
            if end < 0:
                return 0
            found = LITERAL.search(self.buffer, at, end + 1)
            if not found:
                return end + 1
            at = end + 1 + int(found.group(1))
            if at > len(self.buffer):
                return 0

    def waiting(self):
        """Is there a whole response? Without waiting for one."""
        while not self._whole():
            if not select.select([self.sock], [], [], 0)[0]:
                return False
            self._read()
        return True

    def _read(self):
        came = self.sock.recv(1 << 18)
        assert came, f"the server closed; left over: {self.buffer[-500:]!r}"
        self.buffer += came

    def response(self):
        """The next one with all its literals, without the CRLF at its end."""
        while not (whole := self._whole()):
            self._read()
        found, self.buffer = self.buffer[:whole], self.buffer[whole:]
        assert found.endswith(b"\r\n"), f"a line end is CRLF: {found!r}"
        return found[:-2]

    def command(self, text):
        """(tagged answer without its tag, [untagged responses]); literals in `text` are {n+}."""
        self.tags += 1
        tag = b"w%d" % self.tags
        self.send(tag + b" " + text + b"\r\n")
        said = []
        while not (line := self.response()).startswith(tag + b" "):
            said.append(line)
        return line[len(tag) + 1:], said

    def ok(self, text):
        """The untagged responses of a command that must succeed."""
        answer, said = self.command(text)
        assert answer.startswith(b"OK"), f"{text[:200]!r}: {answer!r}"
        return said


def literal(octets):
    """For a command: one that waits for nothing."""
    return b"{%d+}\r\n" % len(octets) + octets


def data(octets, at=0):
    """Data of a response as lists; atoms are str, numbers int, strings bytes, NIL is None."""
    stack = [[]]
    while at < len(octets):
        found = TOKEN.match(octets, at)
        assert found, f"no IMAP data: {octets[at:at + 80]!r}"
        at = found.end()
        kind = found.lastgroup
        if kind == "literal":
            kind, end = "string", at + int(found["octets"])
            value, at = octets[at:end], end
            assert len(value) == int(found["octets"]) and b"\0" not in value
        elif kind == "quoted":
            kind, value = "string", re.sub(rb"\\(.)", rb"\1", found["quoted"])
        if kind == "open":
            stack.append([])
        elif kind == "close":
            value = stack.pop()
            stack[-1].append(value)
        elif kind == "string":
            stack[-1].append(value)
        elif kind == "atom":
            atom = found["atom"]
            stack[-1].append(int(atom) if atom.isdigit() else
                             None if atom.upper() == b"NIL" else atom.decode("ascii"))
    assert len(stack) == 1, f"parentheses: {octets[:200]!r}"
    return stack[0]


def fetched(response):
    """(sequence number, {item: value}) of `* 7 FETCH (...)`; None: it is another response."""
    found = re.match(rb"\* (\d+) FETCH \(", response)
    if not found:
        return None
    items = data(response, found.end() - 1)[0]
    assert len(items) % 2 == 0, response
    return int(found.group(1)), dict(zip(items[::2], items[1::2]))
