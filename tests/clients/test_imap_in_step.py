"""Whatever a client says, each command gets exactly one tagged answer, in order, and nothing that
belongs to one command is ever read as another. Commands are spoiled at random, pipelined, cut into
random pieces; the seed is printed when it goes wrong."""
import random
import re
import socket
import threading

import pytest
from conftest import PASSWORD, PORTS

SESSIONS = 40

COMMANDS = [
    b"SELECT INBOX", b"EXAMINE Archive", b"CLOSE", b"UNSELECT", b"CHECK", b"NOOP", b"CAPABILITY",
    b"FETCH 1:* (FLAGS UID)", b"FETCH 1,2 BODY[]", b"FETCH 1 RFC822.HEADER",
    b"UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To)]<0.20>)",
    b"STORE 1:3 +FLAGS.SILENT (\\Flagged $k1)", b"UID STORE 5:* -FLAGS (\\Seen)",
    b"STORE 1 FLAGS ()", b"STORE 1:* +FLAGS (\\Deleted)", b"COPY 1:2 Archive",
    b"UID COPY 1:* Trash", b"MOVE 1 Archive", b"EXPUNGE", b"UID EXPUNGE 1:*",
    b'LIST "" "%"', b'LIST "" *', b'LSUB "" "*%"', b"STATUS INBOX (MESSAGES UIDNEXT SIZE)",
    b"CREATE a/b", b"DELETE a/b", b"DELETE a", b"RENAME a x", b"RENAME x a", b"SUBSCRIBE a",
    b"UNSUBSCRIBE a", b"NAMESPACE", b"ID NIL", b'ID ("name" "v")', b"LOGIN a b",
    b"APPEND INBOX {25+}\r\nSubject: x\r\n\r\nhello all\r\n",
    b'APPEND INBOX (\\Seen) "17-Jul-1996 02:44:25 -0700" {24+}\r\nSubject: x\r\n\r\nhello all\n',
    b"APPEND nowhere {8+}\r\nX LOGOUT", b"STATUS {5+}\r\nINBOX (MESSAGES)",
    b"XYZZY {10+}\r\nX LOGOUT\r\n {2+}\r\nxy", b"SELECT {7+}\r\nArchive",
]
SPOIL = b'\0 ()[]"\\*%,:0aZ.<>+-\x80\t'


def spoiled(rng, command):
    """Line ends and literals stay: where the command ends must not be in doubt."""
    octets = bytearray(command)
    if b"{" in command or rng.random() < 0.6:
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


def send_in_pieces(rng, sock, octets):
    at = 0
    while at < len(octets):
        piece = rng.choice([1, 3, 20, 500, 5000])
        sock.sendall(octets[at:at + piece])
        at += piece


def answers(octets):
    """The tag of each answer; `*` for an untagged BAD. Literals are stepped over."""
    tags, at = [], 0
    while at < len(octets):
        end = octets.index(b"\r\n", at)
        first = line = octets[at:end]
        at = end + 2
        while announced := re.search(rb"\{(\d+)\}$", line):
            at += int(announced.group(1))
            end = octets.index(b"\r\n", at)
            line = octets[at:end]
            at = end + 2
        if found := re.match(rb"(\S+) (OK|NO|BAD)\b", first):
            if found.group(1) != b"*" or found.group(2) == b"BAD":
                tags.append(found.group(1))
    return tags


def play(server, seed):
    rng = random.Random(seed)
    tags, script = [b"L"], b"L LOGIN alice " + PASSWORD.encode() + b"\r\n"
    for number in range(rng.randint(5, 60)):
        tags.append(b"t%d" % number)
        script += tags[-1] + b" " + spoiled(rng, rng.choice(COMMANDS)) + b"\r\n"
    tags.append(b"Z")
    script += b"Z NOOP\r\n"
    said = b""
    with socket.create_connection((server.address, PORTS["imap"]), timeout=30) as sock:
        sender = threading.Thread(target=send_in_pieces, args=(rng, sock, script))
        sender.start()
        while not re.search(rb"(^|\r\n)Z (OK|BAD|NO)[^\r\n]*\r\n$", said):
            came = sock.recv(65536)
            assert came, f"seed {seed}: closed after {said[-300:]!r}"
            said += came
        sender.join()
    got = answers(said.split(b"\r\n", 1)[1])
    assert len(got) == len(tags), f"seed {seed}: {got} for {tags}"
    for one, expected in zip(got, tags):
        assert one in (expected, b"*"), f"seed {seed}: {got} for {tags}"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_answer_a_command(make_server, seed):
    server = make_server(["alice"], {("limits", "bad_commands"): 1000000})
    for session in range(SESSIONS):
        play(server, seed * 1000 + session)
