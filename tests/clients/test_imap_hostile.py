"""What has gone wrong in other servers, as classes: literals, nesting, parts, addresses, NUL,
numbers, patterns; and clients that do not read. After each attempt the session is in step, or
closed with BYE, and another one is served."""
import random
import re

import pytest
from conftest import PASSWORD, PORTS, anonymous
from imap_wire import Wire, data, fetched, literal

K, M = 1 << 10, 1 << 20


@pytest.fixture
def server(make_server):
    return make_server(["alice"], {("limits", "bad_commands"): 1_000_000})


def connect(server, login=True):
    wire = Wire(server.address, PORTS["imap"])
    wire.response()
    if login:
        wire.ok(f"LOGIN alice {PASSWORD}".encode())
    return wire


def one_answer(wire, head, tail=b""):
    """The answer to a command that may be refused at `head`; `tail` is sent all the same when it is
    not. Then the session still knows where a command begins."""
    wire.send(b"x " + head)
    said = wire.response()
    while said.startswith(b"* "):
        said = wire.response()
    if said.startswith(b"+"):
        wire.send(tail)
        said = wire.response()
    assert said.startswith(b"x "), said
    wire.ok(b"NOOP")
    return said[2:]


# --- 2: literals ---------------------------------------------------------------------------------

HEADS = [b"LOGIN ", b"LOGIN alice ", b"ID (", b'ID ("name" ', b"XYZZY ", b"SELECT ", b"STATUS ",
         b"FETCH 1 BODY[HEADER.FIELDS (", b"SEARCH SUBJECT ", b"SEARCH CHARSET ", b'LIST "" ', b"LIST ",
         b"RENAME a ", b"COPY 1 ", b"APPEND ", b"APPEND INBOX ", b"APPEND INBOX (\\Seen) "]


@pytest.mark.parametrize("login", [False, True])
def test_an_announced_length_is_not_believed(server, login):
    wire = connect(server, login)
    for head in HEADS:
        for octets in (b"65537", b"1048577", b"52428801", b"2147483647", b"2147483648", b"4294967295",
                       b"4294967296", b"18446744073709551616", b"9" * 200):
            if head.startswith(b"APPEND INBOX") and int(octets) < 50 * M:
                continue
            said = one_answer(wire, head + b"{" + octets + b"}\r\n")
            assert not said.startswith(b"OK"), (head, octets, said)
    wire.close()


def test_literals_without_end_are_refused_and_skipped(server):
    """No `+` is owed, so the octets come (RFC 7888 section 4): dropped, or a BYE."""
    wire = connect(server)
    for octets in (64 * K + 1, 512 * K, 1000 * K):
        wire.send(b"a SELECT {%d+}\r\n" % octets + b"b LOGOUT\r\n" * (octets // 10) +
                  b"x" * (octets % 10) + b"\r\n")
        assert wire.response().startswith(b"a NO [TOOBIG]")
        wire.ok(b"NOOP")
    wire.send(b"a SELECT {1048577+}\r\n")
    assert wire.response().startswith(b"a NO [TOOBIG]")
    assert wire.response().startswith(b"* BYE")
    wire.close()


def test_literals_are_counted_and_added_up(server):
    wire = connect(server)
    many = b"x FETCH 1 BODY[HEADER.FIELDS (" + b" ".join([b"{1+}\r\na"] * 1001) + b")]\r\n"
    wire.send(many)
    assert wire.response().startswith(b"x NO [TOOBIG]")
    wire.ok(b"NOOP")
    wire.send(b"x FETCH 1 BODY[HEADER.FIELDS (" + b" ".join([literal(b"a" * 65000)] * 17) + b")]\r\n")
    assert wire.response().startswith(b"x NO [TOOBIG]")
    wire.close()
    wire = connect(server, login=False)
    wire.send(b"x ID (" + b" ".join([literal(b"a" * 1024)] * 40) + b")\r\n")
    assert re.match(rb"x (NO \[TOOBIG\]|BAD)", wire.response())
    wire.ok(b"NOOP")
    wire.close()


# --- 3: nesting ----------------------------------------------------------------------------------

def test_strangers_hold_little_memory(server):
    """Lines that never end, literals that never come."""
    warm = connect(server)
    before = anonymous(server)
    wires = []
    for number in range(60):
        wires.append(connect(server, login=False))
        wires[-1].send([b"a ID " + b"(" * 15000, b"a LOGIN {1024}\r\n" + b"x" * 500,
                        b"a LOGIN {4294967295}\r\n", b"\\" * 15000][number % 4])
    warm.ok(b"NOOP")
    grown = anonymous(server) - before
    assert grown < 60 * 64 * K + 8 * M, f"{grown >> 10} KB for 60 connections"
    for wire in wires:
        wire.close()
    warm.close()


def test_nesting_has_an_end(server):
    wire = connect(server)
    wire.ok(b"SELECT INBOX")
    for depth in (31, 32, 33, 100, 4000, 9000):
        is_nested(wire, depth)
    wire.close()


def is_nested(wire, depth):
    inner = {b"(": b")", b"NOT ": b"", b"OR ALL ": b""}
    for opening, closing in inner.items():
        said = one_answer(wire, b"SEARCH " + opening * depth + b"ALL" + closing * depth + b"\r\n")
        assert said.startswith((b"OK", b"BAD", b"NO [LIMIT]")), said
        assert depth <= 32 or not said.startswith(b"OK")
    for head in (b"FETCH 1 ", b"STORE 1 FLAGS ", b"STATUS INBOX ", b"ID ", b'LIST "" ', b"LIST ",
                 b'LIST "" % RETURN ', b"SEARCH RETURN ", b"APPEND INBOX ", b"ENABLE ",
                 b"FETCH 1 BODY[HEADER.FIELDS ", b"FETCH 1 BODY["):
        said = one_answer(wire, head + b"(" * depth + b")" * depth + b"\r\n")
        assert said.startswith(b"BAD"), (head, said)
    said = one_answer(wire, b"FETCH 1:* BODY[" + b"1." * depth + b"1]\r\n")
    assert said.startswith(b"BAD No such message"), said


def test_readers_that_stand_still_cost_a_bounded_buffer(server):
    """400 MB are asked for, and nobody takes them."""
    wire = connect(server)
    wire.ok(b"APPEND INBOX " + literal(b"Subject: x\r\n\r\n" + b"x" * 78 * 100_000 + b"\r\n"))
    wire.ok(b"SELECT INBOX")
    for _ in range(3):
        wire.ok(b"COPY 1:* INBOX")
    before = anonymous(server)
    lazy = [connect(server) for _ in range(6)]
    for one in lazy:
        one.ok(b"EXAMINE INBOX")
        one.send(b"x FETCH 1:* (BODY.PEEK[] ENVELOPE)\r\ny NOOP\r\n")
    for _ in range(100):
        wire.ok(b"UID FETCH 1:* FLAGS")
    grown = anonymous(server) - before
    assert grown < len(lazy) * M + 4 * M, f"{grown >> 10} KB for {len(lazy)} readers"
    said = lazy[0].response()  # it has lost nothing by waiting
    assert fetched(said)[0] == 1 and len(fetched(said)[1]["BODY[]"]) == 14 + 7_800_002
    for one in lazy:
        one.close()
    wire.ok(b"NOOP")
    wire.close()


# --- 4, 5: messages ------------------------------------------------------------------------------

def multiparts(depth):
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
                    for n in range(depth))
    return b"Subject: deep\r\n" + head + b"\r\nend\r\n"


HOSTILE = {
    "multiparts in multiparts": multiparts(5000),
    "messages in messages": b"Content-Type: message/rfc822\r\n\r\n" * 8000 + b"end\r\n",
    "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 60000,
    "delimiters that are almost one": b"Content-Type: multipart/mixed; boundary=" + b"b" * 70 +
    b"\r\n\r\n" + (b"--" + b"b" * 69 + b"\r\n") * 12000,
    "addresses": b"To: " + b",\r\n a@b.example" * 60000 + b"\r\n\r\nx\r\n",
    "address fields": b"To: a@b.example\r\n" * 60000 + b"\r\nx\r\n",
    "groups": b"To: " + b"g:" * 50000 + b";" * 50000 + b"\r\n\r\nx\r\n",
    "comments": b"From: " + b"(" * 100000 + b"\r\nTo: " + b"(a\\" * 20000 + b"\r\n\r\nx\r\n",
    "quotes": b"From: " + b'"' * 99999 + b"\r\nSubject: " + b'"\\' * 20000 + b"\r\n\r\nx\r\n",
    "routes": b"From: <" + b"@a," * 40000 + b":b@c>\r\n\r\nx\r\n",
    "angles": b"From: " + b"<" * 50000 + b">" * 50000 + b"\r\n\r\nx\r\n",
    "parameters": b"Content-Type: text/plain" + b";\r\n a=b" * 50000 + b"\r\n\r\nx\r\n",
    "continued parameters": b"Content-Type: text/plain" +
    b"".join(b";\r\n name*%d=x" % n for n in range(30000)) + b"\r\n\r\nx\r\n",
    "languages": b"Content-Language: " + b"en," * 60000 + b"\r\n\r\nx\r\n",
    "encoded words": b"Subject: " + b"=?utf-8?q?=C3?= " * 20000 + b"\r\n\r\nx\r\n",
    "encoded words of odd charsets": b"Subject: " +
    b"".join(b"=?iso-2022-jp?b?GyRC?= =?x%d?q?a?= " % n for n in range(8000)) + b"\r\n\r\nx\r\n",
    "a line": b"Subject: " + b"x" * (2 * M) + b"\r\n\r\n" + b"y" * M,
    "header lines": b"X-A: b\r\n" * 200000 + b"\r\nx\r\n",
    "folds": b"Subject: a" + b"\r\n b" * 200000 + b"\r\n\r\nx\r\n",
    "no header": b"\r\n" * 200000,
    "bare CR": b"Subject: a\rTo: b\r\r\n\r\n" + b"\r" * 200000 + b"\r\n",
    "a dash of everything": bytes(random.Random(1).choices(b"\r\n :;,<>()@\"\\=?-_.aB/[]*%\xff\xc3",
                                                           k=M)),
    "broken UTF-8": b"Subject: " + b"\xc3\x28\xf0\x9f\xed\xa0\x80" * 20000 + b"\r\n\r\n\xff\r\n",
    "references": b"References: " + b"<a@b> " * 60000 + b"\r\nIn-Reply-To: " + b"<" * 60000 +
    b"\r\nMessage-ID: <" + b"x" * 100000 + b">\r\n\r\nx\r\n",
    "dates": b"Date: " + b"9" * 100000 + b"\r\n\r\nx\r\n",
}


def test_hostile_messages_have_well_formed_answers(server, show):
    wire, other = connect(server), connect(server)
    for octets in HOSTILE.values():
        wire.ok(b"APPEND INBOX " + literal(octets))
    wire.ok(b"SELECT INBOX")
    largest = 0
    for number, (name, octets) in enumerate(HOSTILE.items(), 1):
        wire.send(b"x FETCH %d (ENVELOPE BODYSTRUCTURE BODY RFC822.SIZE)\r\n" % number)
        other.ok(b"NOOP")
        said = wire.response()
        answer = dict(zip(*[iter(data(said, said.index(b"("))[0])] * 2))
        assert wire.response().startswith(b"x OK"), name
        assert len(answer["ENVELOPE"]) == 10, name
        assert isinstance(answer["BODYSTRUCTURE"], list) and isinstance(answer["BODY"], list), name
        largest = max(largest, len(said))
        for items in (b"BODY.PEEK[HEADER.FIELDS (Subject To X-A)]<0.100>", b"BODY.PEEK[1.1.1.MIME]",
                      b"BODY.PEEK[HEADER.FIELDS.NOT (Received)]<0.100>", b"BODY.PEEK[1]<0.10>"):
            assert fetched(wire.ok(b"FETCH %d %s" % (number, items))[0])[0] == number, name
        size = answer["RFC822.SIZE"]
        assert size == len(re.sub(rb"(?<!\r)\n", b"\r\n", octets)), name
    for key in (b"TEXT needle", b"SUBJECT needle", b"FROM needle", b"BODY needle",
                b"HEADER X-A needle", b"SENTSINCE 1-Jan-2020"):
        assert wire.ok(b"SEARCH " + key) == [b"* SEARCH"], key
    show(f"{len(HOSTILE)} messages, largest answer {largest >> 10} KB")
    wire.close()
    other.close()


# --- 6: NUL and 8-bit ----------------------------------------------------------------------------

def test_nul_is_bad_wherever_it_stands(server):
    wire = connect(server)
    wire.ok(b"SELECT INBOX")
    for command in (b"SELECT INBOX", b'LIST "" "a%"', b'SEARCH SUBJECT "a b"', b"STATUS INBOX (MESSAGES)",
                    b'ID ("name" "x")', b"STORE 1 FLAGS ($a)", b"FETCH 1 BODY[HEADER.FIELDS (a)]"):
        for at in range(len(command) + 1):
            said = one_answer(wire, command[:at] + b"\0" + command[at:] + b"\r\n")
            assert said.startswith(b"BAD"), (command, at)
    for head in (b"SELECT ", b"SEARCH SUBJECT ", b'LIST "" ', b"CREATE ", b"ID (", b"APPEND INBOX "):
        said = one_answer(wire, head + literal(b"a\0b") + b"\r\n")
        assert said.startswith(b"BAD"), head
    wire.close()


NAMES = [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"a\xf4\x90\x80\x80", b"&", b"&AAA-", b"&AGE",
         b"&2AA-", b"&3AA-", b"&*-", b"&AGEA-", b"&A-", b"&AAo-", b"\x7f", b"a\tb", b"a\rb", b"/etc/passwd",
         b"a" * 256, b"b/" * 240 + b"c"]


def test_names_are_checked_at_the_border(server):
    wire = connect(server)
    for name in NAMES:
        for command in (b"CREATE %s", b"SUBSCRIBE %s", b"RENAME INBOX %s", b"SELECT %s", b"DELETE %s",
                        b"STATUS %s (MESSAGES)"):
            said = one_answer(wire, command % literal(name) + b"\r\n")
            assert said.startswith(b"NO [CANNOT]"), (command, name, said)
    for name in (b"../../x", b"$(id)", b"&-&-", b"..x", b"~root"):
        wire.ok(b"CREATE " + literal(name))  # no path, no template: names
        wire.ok(b"DELETE " + literal(name))
    wire.close()


# --- 7: numbers ----------------------------------------------------------------------------------

NUMBERS = [b"0", b"-1", b"+1", b"1.", b"4294967296", b"18446744073709551617", b"1e3", b"0x1", b" 1",
           b"9" * 400]


def test_numbers_have_32_bits_and_digits(server):
    wire = connect(server)
    wire.ok(b"APPEND INBOX " + literal(b"a: b\r\n\r\nc\r\n"))
    wire.ok(b"SELECT INBOX")
    for number in NUMBERS:
        for command in (b"FETCH %s FLAGS", b"FETCH 1:%s FLAGS", b"UID FETCH %s FLAGS", b"UID STORE 1,%s FLAGS ()",
                        b"COPY %s Trash", b"FETCH 1 BODY.PEEK[%s]", b"FETCH 1 BODY.PEEK[1.%s]",
                        b"FETCH 1 BODY.PEEK[]<0.%s>", b"SEARCH UID %s", b"SEARCH 1:%s"):
            assert one_answer(wire, command % number + b"\r\n").startswith(b"BAD"), command
        for command in (b"FETCH 1 BODY.PEEK[]<%s.1>", b"SEARCH LARGER %s", b"SEARCH SMALLER %s"):
            good = number == b"0"
            assert one_answer(wire, command % number + b"\r\n").startswith(b"OK" if good else b"BAD"), command
    wire.close()


# --- 8: patterns ---------------------------------------------------------------------------------

def test_patterns_take_linear_time(server):
    wire = connect(server)
    for number in range(40):
        wire.ok(b"CREATE " + b"a" * 200 + b"/" + b"a" * 200 + b"/%d" % number)
    for pattern in (b"*a" * 200 + b"b", b"%a" * 200 + b"b", b"*%" * 240, b"*" * 500, b"%" * 500,
                    b"a*" * 240, b"*/%/*" * 90, b"*a%" * 150):
        for command in (b'LIST "" "%s"', b'LSUB "" "%s"', b'LIST "*a" "%s"', b'LIST (SUBSCRIBED) "" ("%s")'):
            said = one_answer(wire, command % pattern + b"\r\n")
            assert said.startswith((b"OK", b"NO [LIMIT]")), (command, pattern[:20], said)
    said = one_answer(wire, b'LIST "" "' + b"*a" * 20000 + b'"\r\n')
    assert said.startswith(b"NO [LIMIT]"), said
    wire.close()
