"""Whatever a POP3 or LMTP client says, each line gets its answer, in order, and the same ones however
the octets are cut. Commands are spoiled at random; the seed is printed when it goes wrong."""
import random
import re
import socket
import threading

import pytest
from conftest import DOMAIN, PASSWORD, PORTS

SPOIL = b'\0 \t<>:@."\\,;=-+0a9\x80\xff\r'

POP3 = [b"STAT", b"LIST", b"LIST 1", b"LIST 9", b"UIDL", b"UIDL 2", b"RETR 1", b"RETR 2", b"TOP 1 0",
        b"TOP 2 3", b"DELE 1", b"DELE 2", b"RSET", b"NOOP", b"CAPA", b"LANG", b"LANG en", b"LAST",
        b"UTF8", b"USER alice", b"PASS " + PASSWORD.encode(), b"AUTH", b"STLS", b"APOP alice 0", b"",
        b"XTND XMIT", b"RETR 4294967297", b"TOP 1 -1", b"LIST " + b"1" * 2000]
LOGIN = [b"USER alice", b"USER nobody", b"PASS wrong", b"PASS " + PASSWORD.encode(), b"AUTH",
         b"AUTH PLAIN AGFsaWNlAHdyb25n", b"AUTH PLAIN", b"AUTH PLAIN =", b"AUTH LOGIN", b"*", b"=",
         b"AUTH LOGIN YWxpY2U=", b"AGFsaWNlAHNlY3JldA==", b"YWxpY2U=", b"c2VjcmV0", b"AUTH XYZZY",
         b"CAPA", b"LANG", b"LANG en", b"UTF8", b"NOOP", b"STAT", b"LIST", b"RETR 1", b"APOP alice 0",
         b"A" * 20000, b""]
POP3_MANY = re.compile(rb"(RETR|TOP|CAPA)\b|(LIST|UIDL|LANG|AUTH)[ \t]*$", re.I)

LMTP = [b"LHLO client.example.net", b"MAIL FROM:<a@example.net>", b"MAIL FROM:<>",
        b"MAIL FROM:<a@example.net> SIZE=100 BODY=8BITMIME", b"RCPT TO:<alice@%s>" % DOMAIN.encode(),
        b"RCPT TO:<bob@%s>" % DOMAIN.encode(), b"RCPT TO:<nobody@%s>" % DOMAIN.encode(), b"RSET",
        b"NOOP", b"VRFY alice", b"XFORWARD IDENT=4Q1", b"HELO x", b"", b"NOOP " + b"x" * 5000,
        b"MAIL FROM:<" + b"a" * 600 + b"@example.net>"]
LETTERS = [b"", b".", b"..", b"Subject: x", b"x\n.\ny", b"z\r.\rz", b"\0\xff", b"NOOP", b"." * 9]


def spoiled(rng, command):
    octets = bytearray(command)
    if not octets or rng.random() < 0.6:
        return command
    for _ in range(rng.randint(1, 3)):
        at, octet, how = rng.randrange(len(octets)), rng.choice(SPOIL), rng.random()
        if how < 0.4:
            octets[at] = octet
        elif how < 0.7:
            octets.insert(at, octet)
        elif len(octets) > 1:
            del octets[at]
    return bytes(octets)


class Line:
    """A line that is a command, or one of what follows a command that was let in."""

    def __init__(self, octets, data=b""):
        self.octets, self.data = octets, data


def pop3_script(rng):
    yield Line(b"USER alice")
    yield Line(b"PASS " + PASSWORD.encode())
    for _ in range(rng.randint(5, 60)):
        yield Line(spoiled(rng, rng.choice(POP3)))


def login_script(rng):
    for _ in range(rng.randint(5, 60)):
        yield Line(spoiled(rng, rng.choice(LOGIN)))
    yield Line(b"*")  # an AUTH that asked must not take the QUIT


def lmtp_script(rng):
    yield Line(LMTP[0])
    for _ in range(rng.randint(5, 60)):
        if rng.random() < 0.8:
            yield Line(spoiled(rng, rng.choice(LMTP)))
        elif rng.random() < 0.5:
            chunk = b"\r\n".join(rng.choices(LETTERS, k=rng.randrange(4)))
            yield Line(b"BDAT %d%s" % (len(chunk), rng.choice([b"", b" LAST"])), chunk)
        else:
            lines = [b"." + line if line.startswith(b".") else line
                     for line in rng.choices(LETTERS, k=rng.randrange(5))]
            yield Line(b"DATA", b"".join(line + b"\r\n" for line in lines) + b".\r\n")


def pop3_walk(script, said):
    """Takes the answers of each line from `said`; what is left over is returned."""
    asked = False
    for line in script:
        first = said.pop(0)
        if first.startswith(b"+OK") and not asked and POP3_MANY.match(line.octets):
            del said[:said.index(b".") + 1]
        asked = first.startswith(b"+ ")  # then the next line is an answer of the client's
    return said


def lmtp_walk(script, said):
    accepted = 0

    def answer():
        while True:
            line = said.pop(0)
            if line[3:4] == b" ":
                return int(line[:3])

    for line in script:
        verb = line.octets[:4].upper()
        if verb == b"BDAT":
            for _ in range(accepted if line.octets.endswith(b"LAST") and accepted else 1):
                answer()
            accepted = 0 if line.octets.endswith(b"LAST") else accepted
            continue
        code = answer()
        if verb == b"RCPT" and code == 250:
            accepted += 1
        elif code == 250 and verb in (b"RSET", b"LHLO"):
            accepted = 0
        elif code == 354:
            for _ in range(accepted):
                answer()
            accepted = 0
        elif verb == b"DATA":  # what follows is not data but commands, or the like
            for _ in range(line.data.count(b"\r\n")):
                answer()
    return said


def play(server, protocol, script, rng):
    """Everything that is said to a script, which is sent in pieces (rng) or as a whole."""
    octets = b"".join(line.octets + b"\r\n" + line.data for line in script) + b"QUIT\r\n"

    def send():
        at = 0
        while at < len(octets):
            piece = rng.choice([1, 2, 7, 100, 1000]) if rng else len(octets)
            sock.sendall(octets[at:at + piece])
            at += piece

    with socket.create_connection((server.address, PORTS[protocol]), timeout=60) as sock:
        sender = threading.Thread(target=send)
        sender.start()
        said = b"".join(iter(lambda: sock.recv(65536), b""))
        sender.join()
    return said.split(b"\r\n")[1:-1]


@pytest.fixture
def server(make_server):
    server = make_server(["alice", "bob"], {("limits", "bad_commands"): 1000000,
                                            ("auth", "failures"): 100,
                                            ("auth", "delay"): "0s..0s",
                                            ("pop3", "delete"): "keep",
                                            ("pop3", "last"): "yes"})
    server.deliver(b"Subject: one\r\n\r\n..\r\n.\r\nx\r\n", "alice")
    server.deliver(b"Subject: two\r\n\r\n" + b"y" * 3000 + b"\r\n", "alice")
    return server


@pytest.mark.parametrize("protocol,make,walk,sessions", [
    ("pop3", pop3_script, pop3_walk, 25), ("lmtp", lmtp_script, lmtp_walk, 25),
    ("pop3", login_script, pop3_walk, 8)])  # each wrong password costs a hash
def test_each_line_has_its_answer(server, protocol, make, walk, sessions):
    for seed in range(sessions):
        script = list(make(random.Random(seed)))
        whole = play(server, protocol, script, None)
        assert len(walk(script, list(whole))) == 1, f"seed {seed}: {whole}"
        assert play(server, protocol, script, random.Random(seed)) == whole, f"seed {seed}"
