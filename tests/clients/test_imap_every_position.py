"""An error in every position of every command. What is said comes whole, octet by octet and
pipelined: the answers are the same. With literals that wait for their `+` it is one answer instead
of it: the same one (RFC 3501 section 7.5)."""
import random
import re
import threading

import pytest
from conftest import PASSWORD, PORTS
from imap_wire import Wire

COMMANDS = [
    "SELECT INBOX", "EXAMINE {7+}\r\nArchive", "CLOSE", "UNSELECT", "CHECK", "NOOP", "CAPABILITY",
    "NAMESPACE", 'ID ("name" "x" {1+}\r\na NIL)',
    "FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE)", "FETCH 2,1:1,* FULL",
    "FETCH 1 (BODY.PEEK[HEADER.FIELDS.NOT (From \"To\" {2+}\r\nCc)]<0.20> BODY[1.MIME])",
    "UID FETCH 1:* (BODYSTRUCTURE ENVELOPE BODY BODY.PEEK[1.2.HEADER.FIELDS (a)])",
    "STORE 1:2 +FLAGS.SILENT (\\Flagged $k)", "UID STORE 2:* -FLAGS \\Seen later",
    "STORE 1 FLAGS ()", "COPY 1:2 Archive", 'UID COPY 1 "Archive"', "UID MOVE 9 {7+}\r\nArchive",
    "MOVE 1 Archive", "EXPUNGE", "UID EXPUNGE 3:4",
    'SEARCH RETURN (MIN COUNT) CHARSET utf-8 (OR NOT 1 UID 2:* SUBJECT {1+}\r\na) SINCE 1-Feb-2020',
    "UID SEARCH HEADER X-A \"\" KEYWORD $k LARGER 10 UNSEEN BEFORE \"01-Feb-2100\"",
    'LIST "" "*"', 'LIST (SUBSCRIBED REMOTE) "" ("%" {1+}\r\n*) RETURN (STATUS (MESSAGES) CHILDREN)',
    'LSUB "" {2+}\r\n%%', "STATUS INBOX (MESSAGES UIDNEXT UNSEEN SIZE)", "CREATE a/b",
    "CREATE {3+}\r\nc d", "RENAME a x", "RENAME x {1+}\r\na", "SUBSCRIBE a", "UNSUBSCRIBE \"a\"",
    "DELETE a/b", "DELETE a", "ENABLE X-GOOD",
    "APPEND INBOX (\\Seen $k) \"17-Jul-1996 02:44:25 -0700\" {12+}\r\nA: b\r\n\r\ntext",
    "APPEND {5+}\r\nINBOX {11+}\r\nA: c\r\n\r\ntext",
]
SPOIL = [b"", b"\0", b" ", b"(", b")", b'"', b"\\", b"{", b"}", b"*", b"%", b"\x80", b"0", b"9", b"a",
         b"]", b"[", b":", b",", b".", b"<", b"\r", b"\n", b"+", b"-"]
LITERAL = re.compile(rb"\{(\d+)\+\}\r\n")


def places(command):
    """Where it may be spoiled: not in a literal or its announcement, which say where it ends."""
    at, found = 0, []
    while literal := LITERAL.search(command, at):
        found += range(at, literal.start())
        at = literal.end() + int(literal.group(1))
    return found + list(range(at, len(command)))


def without_literals(command):
    return b"".join(command[at:at + 1] for at in places(command))


def script(rng, each):
    """[(tag, command)]: each as it is, then with errors in it, INBOX being selected."""
    said = []
    for command in COMMANDS:
        command = command.encode()
        said += [b"SELECT INBOX", command]
        verb = re.match(rb"(UID )?\w+", command).end()
        for at in places(command):
            for octet in rng.sample(SPOIL, each if at >= verb else 1):
                inserted = rng.random() < 0.3
                spoiled = command[:at] + octet + command[at + (not inserted):]
                # A CR may make one command two, when it comes before an LF.
                if not spoiled.endswith(b"\r") and b"\r\n" not in without_literals(spoiled):
                    said += [b"SELECT INBOX", spoiled]
    return [(b"t%d" % n, command) for n, command in enumerate(said)]


def in_pieces(lines):
    at = 0
    while match := LITERAL.search(lines, at):
        end = match.end() + int(match.group(1))
        yield lines[at:match.start()] + b"{%s}\r\n" % match.group(1), lines[match.end():end]
        at = end
    yield lines[at:], b""


def login(server, user):
    """INBOX has 64 messages; user None: nobody logs in."""
    wire = Wire(server.address, PORTS["imap"])
    wire.response()
    if not user:
        return wire
    wire.ok(f"LOGIN {user} {PASSWORD}".encode())
    wire.ok(b"APPEND INBOX {21+}\r\nSubject: a\r\n\r\nbody\r\n\r")
    wire.ok(b"SELECT INBOX")
    for _ in range(6):
        wire.ok(b"COPY 1:* INBOX")
    wire.ok(b"UNSELECT")
    return wire


def same(said):
    """What does not depend on when and for whom: no UIDVALIDITY, no time of arrival."""
    said = re.sub(rb"\b\d{10}\b", b"N", said)
    return re.sub(rb'INTERNALDATE "[^"]*"', b"INTERNALDATE", said)


def play(server, user, commands, send):
    """[responses up to the tagged answer] of each command, checked to be one each and in order."""
    wire = login(server, user)
    sender = threading.Thread(target=send, args=(wire.sock, commands))
    sender.start()
    answers = []
    for tag, command in commands:
        said = []
        while not said or not said[-1].startswith(tag + b" "):
            said.append(same(wire.response()))
            own = said[-1].split(b" ")[0]
            assert own in (tag, b"*"), f"{said[-1]!r} answers {command!r}"
            assert not said[-1].startswith((b"* BAD", b"* BYE")), f"{command!r}: {said[-1]!r}"
        answers.append(said)
    sender.join()
    wire.ok(b"NOOP")
    wire.close()
    return answers


def pipelined(sock, commands):
    sock.sendall(b"".join(tag + b" " + command + b"\r\n" for tag, command in commands))


def octet_by_octet(sock, commands):
    for tag, command in commands:
        for octet in tag + b" " + command + b"\r\n":
            sock.sendall(bytes([octet]))


def with_synchronizing_literals(server, user, commands):
    wire = login(server, user)
    answers = []
    for tag, command in commands:
        said = []
        for line, octets in in_pieces(tag + b" " + command + b"\r\n"):
            wire.send(line)
            said.append(same(wire.response()))
            while said[-1].startswith(b"* "):
                said.append(same(wire.response()))
            if not said[-1].startswith(b"+"):
                break
            wire.send(octets)
        said = [line for line in said if not line.startswith(b"+")]
        assert said[-1].startswith(tag + b" "), f"{command!r}: {said[-1]!r}"
        answers.append(said)
    wire.ok(b"NOOP")
    wire.close()
    return answers


def verdict(said):
    return b" ".join(said[-1].split(b" ")[:3]) if b"[" in said[-1] else said[-1][:12]


def test_strangers_get_one_answer_each(make_server):
    server = make_server([], {("limits", "bad_commands"): 1_000_000})
    commands = script(random.Random(2), 1)
    whole = play(server, None, commands, pipelined)
    assert whole == play(server, None, commands, octet_by_octet)
    for (_, command), said in zip(commands, whole):
        free = re.match(rb"(NOOP|CAPABILITY|ID) ?", command, re.I)
        assert free or b" BAD " in said[-1], (command, said)


@pytest.mark.parametrize("seed", [1])
def test_answers_do_not_depend_on_how_it_is_said(make_server, show, seed):
    server = make_server(["alice", "bob", "carol"], {("limits", "bad_commands"): 1_000_000})
    commands = script(random.Random(seed), 3)
    whole = play(server, "alice", commands, pipelined)
    pieces = play(server, "bob", commands, octet_by_octet)
    waiting = with_synchronizing_literals(server, "carol", commands)
    for (tag, command), one, other, third in zip(commands, whole, pieces, waiting):
        assert one == other, f"{command!r}:\n{one}\noctet by octet\n{other}"
        assert verdict(one) == verdict(third), f"{command!r}:\n{one}\nsynchronizing\n{third}"
    good = sum(b" OK " in said[-1] for said in whole)
    show(f"{len(commands)} commands, {good} of them good")
