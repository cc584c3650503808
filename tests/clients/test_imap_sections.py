"""Odd and hostile messages over the wire: APPEND, then every section of every part, ENVELOPE and
BODYSTRUCTURE. Each section is the octets that Python's email package finds; where Python reads
otherwise (DIFFER of tests/core/mime_oracle.py has the clauses), or does not tell octets, it still
lies in the message where its boundary and its neighbours say."""
import glob
import os
import random
import re
import subprocess
import sys

import corpus
import pytest
from conftest import PASSWORD, PORTS, ROOT
from imap_wire import Wire, fetched, literal

sys.path.insert(0, os.path.join(ROOT, "tests", "core"))
import mime_oracle  # noqa: E402

FIELDS = ["Subject", "content-TYPE", "Received", "X-None"]
IN_DIGEST = ["from", "To", "SUBJECT", "Date", "List-Id", "References"]  # need no look at the body


def canonical(octets):
    """As the store keeps it: each LF without its CR gets one."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", octets)


def spoiled(rng, octets):
    """A message with some of its lines lost, doubled, cut, or as they would be elsewhere."""
    lines = octets.split(b"\r\n")
    special = [line for line in lines if line[:2] == b"--" or line[:8].lower() == b"content-"]
    for _ in range(rng.randint(1, 6)):
        at, how = rng.randrange(len(lines)), rng.randrange(7)
        if how == 0:
            del lines[at]
        elif how == 1:
            lines.insert(at, rng.choice(special or [b""]))
        elif how == 2:
            lines[at] = lines[at][:rng.randrange(len(lines[at]) + 1)]
        elif how == 3:
            lines.insert(at, rng.choice([b"", b" ", b"\t x", b"--", b"----", b"a\rb", b"\xff\xc3("]))
        elif how == 4:
            lines[at] = lines[at] + rng.choice([b" ", b"--", b'"', b"(", b"\\", b";", b"="])
        elif how == 5:
            lines[at] = lines[at].swapcase()
        else:
            del lines[rng.randrange(len(lines)):]
        if not lines:
            lines = [b""]
    return canonical(b"\r\n".join(lines) or b"\r\n")


def messages():
    """(name, octets), all without NUL, which APPEND refuses (RFC 3501 section 9, CHAR8)."""
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "mail", "**", "*.eml"),
                                 recursive=True)):
        with open(path, "rb") as f:
            octets = canonical(f.read())
        if octets and b"\0" not in octets:
            yield os.path.basename(path)[:-4], octets
    rng = random.Random(7)
    for number, octets in enumerate(corpus.messages(60, seed=11)):
        if len(octets) < 100_000:
            yield f"made-{number}", octets
            yield f"spoiled-{number}", spoiled(rng, octets)


def field_lines(header):
    """The fields with the lines that continue them, and the empty line: independent of ours."""
    return re.findall(rb"[^\n]*\n(?:[ \t][^\n]*\n)*|[^\n]+\Z", header)


def picked(header, names, wanted):
    """A field has a name of printable ASCII and a colon (RFC 5322 section 2.2, obs-optional: maybe
    blanks before it); what is none is not named."""
    found = b""
    for field in field_lines(header):
        if field == b"\r\n":
            return found + field
        name = re.match(rb"([!-9;-~]+)[ \t]*:", field)
        named = name and name.group(1).lower().decode() in [n.lower() for n in names]
        if bool(named) == wanted:
            found += field
    return found


def parts(structure, number=""):
    """(number, body structure) of all parts that have a number."""
    if isinstance(structure[0], list):
        for n, inner in enumerate(x for x in structure if isinstance(x, list)):
            if structure[n] is not inner:
                break  # what follows the parts
            mine = f"{number}.{n + 1}" if number else str(n + 1)
            yield mine, inner
            yield from below(inner, mine)
    else:
        mine = f"{number}.1" if number else "1"
        yield mine, structure
        yield from below(structure, mine) if not number else ()


def below(structure, number):
    if isinstance(structure[0], list):
        yield from parts(structure, number)
    elif is_message(structure):
        inner = structure[8]
        if isinstance(inner[0], list):
            yield from parts(inner, number)
        else:
            yield f"{number}.1", inner
            yield from below(inner, f"{number}.1")


def is_message(structure):
    return not isinstance(structure[0], list) and \
        (structure[0].upper(), structure[1].upper()) == (b"MESSAGE", b"RFC822")


def sections(structure):
    yield from ["", "HEADER", "TEXT"]
    for number, inner in parts(structure):
        yield from [number, number + ".MIME"]
        if is_message(inner):
            yield from [number + ".HEADER", number + ".TEXT"]


class Message:
    """One message of the mailbox and what was fetched of it."""

    def __init__(self, wire, number, octets):
        self.wire, self.number, self.octets = wire, number, octets
        self.structure = self.fetch(["BODYSTRUCTURE"])["BODYSTRUCTURE"]
        self.parts = dict(parts(self.structure))
        self.found = {}
        names = list(sections(self.structure))
        for at in range(0, len(names), 50):
            items = self.fetch([f"BODY.PEEK[{name}]" for name in names[at:at + 50]])
            self.found.update({key[5:-1]: value for key, value in items.items()})

    def fetch(self, items):
        said = [fetched(r) for r in self.wire.ok(f"FETCH {self.number} ({' '.join(items)})".encode())]
        assert [n for n, _ in said] == [self.number]
        return said[0][1]


def sections_lie_where_they_should(message):
    found, octets = message.found, message.octets
    assert None not in found.values(), "every part of BODYSTRUCTURE is there"
    assert found[""] == octets and found["HEADER"] + found["TEXT"] == octets
    assert not found["HEADER"] or found["HEADER"].endswith(b"\n") or not found["TEXT"]
    whole = {"": found["TEXT"] if isinstance(message.structure[0], list) else octets}
    for number, inner in message.parts.items():
        body = found[number]
        head, _, own = number.rpartition(".")
        around = found[head] if head else octets
        assert found[number + ".MIME"] + body in around, f"{number} lies in the part around it"
        if isinstance(inner[0], list):
            continue
        assert inner[6] == len(body), f"{number}: octets"
        lines = inner[9] if is_message(inner) else inner[7] if inner[0].upper() == b"TEXT" else None
        assert lines in (None, body.count(b"\n")), f"{number}: lines"
        if is_message(inner):
            assert found[number + ".HEADER"] + found[number + ".TEXT"] == body
    assert whole


def delimiters_stand_around_parts(message):
    """Before the header of a body part stands its delimiter, and behind it another or the end."""
    for number, inner in list(message.parts.items()) + [("", message.structure)]:
        if not isinstance(inner[0], list):
            continue
        fields = next(v for v in inner[next(n for n, x in enumerate(inner) if isinstance(x, bytes)):]
                      if isinstance(v, list))
        named = dict(zip([n.upper() for n in fields[::2]], fields[1::2]))
        boundary = re.escape(b"--" + named.get(b"BOUNDARY", b"").rstrip(b" \t"))
        text = message.found[number or "TEXT"]
        at = 0
        for child in range(1, sum(isinstance(x, list) for x in inner)):
            name = f"{number}.{child}" if number else str(child)
            if name not in message.parts:
                break
            mine = message.found[name + ".MIME"] + message.found[name]
            begin = re.compile(rb"(?:\A|\r\n)%s[ \t]*(?:\r\n|\Z)" % boundary).search(text, max(at - 2, 0))
            if not begin:
                break  # the boundary never comes: one empty part, or all that is left
            assert text.startswith(mine, begin.end()), f"{name} begins behind its delimiter"
            at = begin.end() + len(mine)


def python_agrees(message):
    import email
    import email.policy
    theirs = email.message_from_bytes(message.octets, policy=email.policy.compat32)
    ours = mime_oracle.type_of(message.structure)
    assert ours == mime_oracle.python_tree(theirs), "types"
    leaves = [message.found[n] for n, inner in message.parts.items()
              if not isinstance(inner[0], list) and not is_message(inner)]
    for mine, other in zip(leaves, mime_oracle.python_leaves(theirs)):
        assert other is None or mine == other, f"octets: {mine[:80]!r}, Python's {other[:80]!r}"


def partials_are_cut_where_they_say(rng, message):
    for name in rng.sample(sorted(message.found), min(len(message.found), 4)):
        whole = message.found[name]
        n = len(whole)
        cuts = [(0, 1), (0, n + 1), (n, 1), (n + 1, 9), (4294967295, 4294967295), (max(n - 3, 0), 9)]
        cuts += [(rng.randrange(n + 1), rng.randint(1, n + 1)) for _ in range(3)]
        items = message.fetch([f"BODY.PEEK[{name}]<{a}.{b}>" for a, b in cuts])
        for a, b in cuts:  # those that begin at one place have one name in the answer
            assert f"BODY[{name}]<{a}>" in items
        for a, b in cuts:
            answer = message.fetch([f"BODY.PEEK[{name}]<{a}.{b}>"])
            assert answer == {f"BODY[{name}]<{a}>": whole[a:a + b]}, f"{name} <{a}.{b}> of {n}"


def fields_are_picked(message):
    headers = [("", "HEADER")] + [(n + ".", n + ".HEADER") for n, inner in message.parts.items()
                                  if is_message(inner)][:3]
    for prefix, name in headers:
        header = message.found[name]
        for word, wanted in (("FIELDS", True), ("FIELDS.NOT", False)):
            for names in (FIELDS, IN_DIGEST):
                items = message.fetch([f"BODY.PEEK[{prefix}HEADER.{word} ({' '.join(names)})]"])
                assert list(items.values()) == [picked(header, names, wanted)], f"{prefix} {word}"


def check(message, rng, differs):
    sections_lie_where_they_should(message)
    partials_are_cut_where_they_say(rng, message)
    fields_are_picked(message)
    old = message.fetch(["RFC822", "RFC822.HEADER", "RFC822.TEXT", "RFC822.SIZE"])
    assert old == {"RFC822": message.found[""], "RFC822.HEADER": message.found["HEADER"],
                   "RFC822.TEXT": message.found["TEXT"], "RFC822.SIZE": len(message.octets)}
    if not differs:
        python_agrees(message)
        delimiters_stand_around_parts(message)


@pytest.fixture
def mailbox(make_server):
    server = make_server(["alice"])
    wire = Wire(server.address, PORTS["imap"])
    wire.response()
    wire.ok(f"LOGIN alice {PASSWORD}".encode())
    yield server, wire
    wire.close()


def test_every_section_is_the_octets_it_names(mailbox, show):
    _, wire = mailbox
    rng, wrong, count = random.Random(3), [], 0
    there = list(messages())
    for _, octets in there:
        wire.ok(b"APPEND INBOX " + literal(octets))
    wire.ok(b"EXAMINE INBOX")
    for number, (name, octets) in enumerate(there, 1):
        try:
            message = Message(wire, number, octets)
            check(message, rng, name in mime_oracle.DIFFER or name.startswith("spoiled"))
            count += len(message.found)
        except AssertionError as why:
            wrong.append(f"{name}: {str(why)[:600]}")
    show(f"{len(there)} messages, {count} sections")
    assert not wrong, "\n".join(wrong)


def test_envelope_and_structure_are_those_that_were_compared(mailbox, build, tmp_path):
    """What mime_oracle.py and test_gmime.c find right of core/mime is what the wire says."""
    _, wire = mailbox
    there, paths = list(messages()), []
    for name, octets in there:
        paths.append(str(tmp_path / name))
        with open(paths[-1], "wb") as f:
            f.write(octets)
        wire.ok(b"APPEND Archive " + literal(octets))
    wire.ok(b"EXAMINE Archive")
    dump = subprocess.run([os.path.join(build, "tests", "core", "mime_dump"), *paths], check=True,
                          capture_output=True).stdout
    said = wire.ok(b"FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY)")
    assert len(said) == len(there)
    for n, (line, ours) in enumerate(zip(said, mime_oracle.read_dump(dump)), 1):
        texts = ours.texts
        assert line == b"* %d FETCH (ENVELOPE %s BODYSTRUCTURE %s BODY %s)" % (
            n, texts["envelope"], texts["structure"], texts["body"]), there[n - 1][0]
        name, octets = there[n - 1]
        if not (name.startswith("spoiled") or name in mime_oracle.DIFFER
                or name in mime_oracle.FIELDS_DIFFER):
            differs = mime_oracle.python_reads_the_same(ours, octets)
            assert not differs, f"{name}: {differs}"


def test_nul_is_told_as_0x80(mailbox):
    """LMTP carries it, IMAP cannot (RFC 3501 section 9, CHAR8); no octet moves."""
    server, wire = mailbox
    with open(os.path.join(ROOT, "tests", "mail", "odd", "nul-octets.eml"), "rb") as f:
        octets = canonical(f.read())
    server.deliver(octets, "alice")
    wire.ok(b"EXAMINE INBOX")
    size = fetched(wire.ok(b"FETCH 1 RFC822.SIZE")[0])[1]["RFC822.SIZE"]
    whole = fetched(wire.ok(b"FETCH 1 BODY.PEEK[]")[0])[1]["BODY[]"]
    assert len(whole) == size and whole.endswith(octets.replace(b"\0", b"\x80"))
    message = Message(wire, 1, whole)
    check(message, random.Random(5), True)
