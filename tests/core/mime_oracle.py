#!/usr/bin/python3
"""Compare core/mime with Python's email package, and with what was once found right.

mime_oracle.py DUMP MAIL GOLDEN           TAP on standard output; DUMP is tests/lib/mime_dump
mime_oracle.py --bless DUMP MAIL GOLDEN   write GOLDEN anew

Every message of MAIL/*.eml and MAIL/odd/*.eml: BODYSTRUCTURE reads back and agrees with the table of
parts; the tree of types, and the octets of each leaf, are those that Python finds, but for DIFFER.
All fields of ENVELOPE and BODYSTRUCTURE are what Python reads, but for FIELDS_DIFFER. The ordinary
ones also: decoded subject. The odd ones also: all of the dump is GOLDEN.
"""
import email
import email.header
import email.policy
import email.utils
import glob
import os
import re
import subprocess
import sys

# Where Python reads otherwise, and why ours is kept. Each must differ, so that the list stays true.
DIFFER = {
    "addresses-obsolete": "blanks before the colon are allowed (RFC 5322 section 4.5.8)",
    "bare-cr": "a bare CR ends no line (RFC 5322 section 2.2); Python's lines end with it",
    "boundary-too-long": "no boundary of more than 70 characters is legal (RFC 2046 section 5.1.1); "
                         "up to 250 are looked for",
    "content-type-broken": "a quoted type is no token (RFC 2045 section 5.1)",
    "content-type-comments": "comments are allowed there (RFC 2045 section 5.1); Python keeps them",
    "empty-boundary": "a boundary has at least one character (RFC 2046 section 5.1.1)",
    "boundary-never-comes": "BODYSTRUCTURE names at least one part (RFC 3501 section 9, body-type-mpart)",
    "header-only": "the same",
    "empty-parts": "a part between two delimiters is one, if an empty one; Python skips it",
    "nested-30": "only a delimiter takes the line end before it (RFC 2046 section 5.1.1)",
    "no-closing-delimiter": "the same",
    "same-boundary-twice": "the innermost multipart that is open has the first say; in Python the "
                           "outer one",
    "fields-not": "a line that is no field is passed over (core/mime/header.h); Python ends the header",
    "headerless-part": "the same",
    "messages-100": "[limits] mime_depth: an opaque leaf",
    "nested-100": "the same",
    "no-boundary-parameter": "not valid without boundary: text/plain (RFC 2045 section 5.2)",
    "parts-1200": "[limits] mime_parts: the rest is one opaque leaf",
    "rfc822-base64": "an encoded message cannot be looked into (RFC 2046 section 5.2.1)",
}


def unescape(text):
    return re.sub(rb"\\x(..)", lambda m: bytes([int(m.group(1), 16)]), text)


class Message:
    def __init__(self, name):
        self.name = name
        self.parts = []
        self.texts = {}


def read_dump(text):
    found = []
    for line in text.splitlines():
        word, _, rest = line.partition(b" ")
        if word == b"message":
            found.append(Message(rest.decode()))
        elif word == b"part":
            found[-1].parts.append([int(n) for n in rest.split()])
        else:
            found[-1].texts[word.decode()] = unescape(rest)
    return found


class Reader:
    """IMAP data: lists, strings, numbers and NIL, as nested lists, bytes, int and None."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def value(self):
        c = self.text[self.at:self.at + 1]
        if c == b"(":
            self.at += 1
            found = []
            while self.text[self.at:self.at + 1] != b")":
                if self.text[self.at:self.at + 1] == b" ":
                    self.at += 1
                found.append(self.value())
            self.at += 1
            return found
        if c == b'"':
            m = re.compile(rb'"((?:[^"\\\r\n\x80-\xff\0]|\\["\\])*)"').match(self.text, self.at)
            self.at = m.end()
            return re.sub(rb"\\(.)", rb"\1", m.group(1))
        if c == b"{":
            m = re.compile(rb"\{(\d+)\}\r\n").match(self.text, self.at)
            self.at = m.end() + int(m.group(1))
            assert b"\0" not in self.text[m.end():self.at]
            return self.text[m.end():self.at]
        m = re.compile(rb"NIL|\d+").match(self.text, self.at)
        self.at = m.end()
        return None if m.group() == b"NIL" else int(m.group())

    def all(self):
        value = self.value()
        assert self.at == len(self.text), "something follows"
        return value


def type_of(body):
    """(type, [children]) of a BODYSTRUCTURE."""
    if isinstance(body[0], list):
        n = next(i for i, v in enumerate(body) if not isinstance(v, list))
        return ("multipart/" + body[n].decode("latin-1").lower(), [type_of(b) for b in body[:n]])
    kind = (body[0] + b"/" + body[1]).decode("latin-1").lower()
    return (kind, [type_of(body[8])] if kind == "message/rfc822" else [])


def tree_of_rows(parts, row=0):
    kinds = {0: None, 1: "text", 2: "multipart", 3: "message"}
    return (kinds[parts[row][2]], [tree_of_rows(parts, p[0]) for p in parts if p[1] == row])


def same_shape(types, rows):
    kind = types[0].split("/")[0]
    if types[0] != "message/rfc822" and kind == "message":
        kind = None
    return ((rows[1] or kind not in ("multipart",)) and (rows[0] is None or rows[0] == kind) and
            len(types[1]) == len(rows[1]) and all(map(same_shape, types[1], rows[1])))


def is_leaf(part):
    """RFC 3501 sees parts in a multipart and in message/rfc822, Python in every message type."""
    kind = part.get_content_type()
    return kind.startswith("message/") and kind != "message/rfc822" or \
        not isinstance(part._payload, list)


def python_tree(part):
    return (part.get_content_type(), [] if is_leaf(part) else list(map(python_tree, part._payload)))


def python_leaves(part):
    """Octets of each leaf; None where Python has taken it apart."""
    if not is_leaf(part):
        for p in part._payload:
            yield from python_leaves(p)
    elif isinstance(part._payload, list):
        yield None
    else:
        yield (part._payload or "").encode("ascii", "surrogateescape")


def our_leaves(parts, octets):
    parents = {p[1] for p in parts}
    for p in parts:
        if p[0] not in parents:
            yield octets[p[6]:p[6] + p[7]]


def python_sees_the_same(message, octets):
    theirs = email.message_from_bytes(octets, policy=email.policy.compat32)
    ours = type_of(Reader(message.texts["structure"]).all())
    if ours != python_tree(theirs):
        return f"types: ours {ours}, Python's {python_tree(theirs)}"
    for mine, other in zip(our_leaves(message.parts, octets), python_leaves(theirs)):
        if other is not None and mine != other:
            return f"octets: ours {mine[:80]!r}, Python's {other[:80]!r}"
    return None


# What Python makes of single fields; the first that is found wrong names the message here.
FIELDS_DIFFER = {
    "addresses-broken": "of an unclosed quote what can be read is told; Python gives up the field",
    "disposition-odd": "a disposition has a type (RFC 2183 section 2)",
    "encoding-odd": "an encoding is a token, not quoted (RFC 2045 section 6.1)",
    "fields-folded": "a fold is part of a quoted string (RFC 5322 section 3.2.4); Python ends it there",
    "nul-octets": "CHAR8 has no NUL: 0x80 stands for it (RFC 3501 section 9)",
    "parameters-many": "100 parameters are told of one field",
}


def unfolded(part, name):
    """The field's text as BODYSTRUCTURE and ENVELOPE have it; None: it is not there. False: there
    are octets in it that Python has no form for."""
    value = part.get(name)
    if value is None:
        return None
    text = re.sub(r"\r?\n", "", str(value)).strip()
    return False if any(ord(c) > 0x7e or ord(c) < 9 for c in text) else text.encode()


def parameters(part, name):
    """{name: value}; False: encoded (RFC 2231), commented or broken, where tastes differ."""
    text = unfolded(part, name)
    if not text or any(c in text for c in (b"*", b"(", b"\\")) or text.count(b'"') % 2:
        return False
    return {k.lower().encode(): v.encode() for k, v in part.get_params([], name)[1:] if v}


def named(pairs):
    return dict(zip([k.lower() for k in pairs[::2]], pairs[1::2])) if pairs else {}


def fields_of(ours, part):
    """(what, ours, Python's) of the fields that BODYSTRUCTURE tells of a part."""
    if isinstance(ours[0], list):
        n = next(i for i, v in enumerate(ours) if not isinstance(v, list))
        rest = ours[n + 1:]
        for mine, other in zip(ours[:n], part._payload):
            yield from fields_of(mine, other)
        yield "parameters", named(rest[0]), parameters(part, "content-type")
        extension = rest[1:]
    else:
        if part.get("content-type"):
            yield "parameters", named(ours[2]), parameters(part, "content-type")
        yield "id", ours[3], unfolded(part, "content-id")
        yield "description", ours[4], unfolded(part, "content-description")
        encoding = unfolded(part, "content-transfer-encoding")
        yield "encoding", ours[5].lower(), encoding and encoding.lower() or b"7bit"
        kind = (ours[0] + b"/" + ours[1]).lower()
        inner = kind == b"message/rfc822" and isinstance(part._payload, list)
        if inner:
            yield from envelope_of(ours[7], part._payload[0])
            yield from fields_of(ours[8], part._payload[0])
        extension = ours[10:] if kind == b"message/rfc822" else ours[7 + (ours[0].lower() == b"text"):]
        yield "md5", extension[0], unfolded(part, "content-md5")
        extension = extension[1:]
    disposition, language, location = extension[:3]
    text = unfolded(part, "content-disposition")
    if text:
        word = text.split(b";")[0].strip().lower()
        yield "disposition", disposition and disposition[0].lower(), word
        yield "its parameters", disposition and named(disposition[1]), \
            parameters(part, "content-disposition")
    elif text is None:
        yield "disposition", disposition, None
    language = [language] if isinstance(language, bytes) else language
    theirs = unfolded(part, "content-language")
    yield "language", language, theirs and [w.strip() for w in theirs.split(b",")]
    yield "location", location, unfolded(part, "content-location")


def mailboxes(part, name):
    values = [str(v) for v in part.get_all(name, [])]
    if any(ord(c) > 0x7e for v in values for c in v) or any(c in v for v in values for c in ":(\\"):
        return False  # Python has no raw octets, knows no groups, adds comments
    found = [(n, *a.rpartition("@")[::2]) for n, a in email.utils.getaddresses(values) if a]
    return [(n.encode() or None, local.encode(), domain.encode()) for n, local, domain in found]


def envelope_of(ours, part):
    """(what, ours, Python's). Sender and Reply-To are From where they are missing or empty."""
    yield "Date", ours[0], unfolded(part, "date")
    yield "Subject", ours[1], unfolded(part, "subject")
    theirs = {name: mailboxes(part, name) for name in ("from", "sender", "reply-to", "to", "cc", "bcc")}
    for name, mine in zip(theirs, ours[2:8]):
        other = theirs[name]
        if other == [] and name in ("sender", "reply-to"):
            other = theirs["from"]
        yield name, [(a[0], a[2], a[3]) for a in mine or []], other
    yield "In-Reply-To", ours[8], unfolded(part, "in-reply-to")
    yield "Message-ID", ours[9], unfolded(part, "message-id")


def python_reads_the_same(message, octets):
    theirs = email.message_from_bytes(octets, policy=email.policy.compat32)
    structure = Reader(message.texts["structure"]).all()
    envelope = Reader(message.texts["envelope"]).all()
    for what, mine, other in [*envelope_of(envelope, theirs), *fields_of(structure, theirs)]:
        if other is not False and mine != other and (mine or other):
            return f"{what}: ours {mine!r}, Python's {other!r}"
    return None


def check_well_formed(message, octets):
    structure = Reader(message.texts["structure"]).all()
    envelope = Reader(message.texts["envelope"]).all()
    Reader(message.texts["body"]).all()
    assert len(envelope) == 10
    assert same_shape(type_of(structure), tree_of_rows(message.parts)), "table and BODYSTRUCTURE"
    for row, parent, _, _, _, header, body, length, lines in message.parts:
        assert header <= body and body + length <= len(octets)
        assert octets[body:body + length].count(b"\n") == lines
        if row:
            outer = message.parts[parent]
            assert outer[6] <= header and body + length <= outer[6] + outer[7]
    assert message.parts[0][6] + message.parts[0][7] == len(octets)


def check_subject(message, octets):
    raw = email.message_from_bytes(octets, policy=email.policy.default)
    subject = str(raw["Subject"] or "")
    if all(ord(c) < 0xdc80 or ord(c) > 0xdcff for c in subject):
        ours = message.texts["subject"].decode("utf-8")
        assert ours == subject, f"subject: ours {ours!r}, Python's {subject!r}"


def main(arguments):
    bless = arguments[:1] == ["--bless"]
    dump, mail, golden = arguments[1:] if bless else arguments
    ordinary = sorted(glob.glob(os.path.join(mail, "*.eml")))
    odd = sorted(glob.glob(os.path.join(mail, "odd", "*.eml")))
    run = lambda *a: subprocess.run([dump, *a], check=True, capture_output=True).stdout
    if bless:
        with open(golden, "wb") as f:
            f.write(run("--short", *odd))
        return 0
    results = []
    for path, message in zip(ordinary + odd, read_dump(run(*ordinary, *odd))):
        name = os.path.basename(path)[:-len(".eml")]
        with open(path, "rb") as f:
            octets = re.sub(rb"(?<!\r)\n", b"\r\n", f.read())
        try:
            check_well_formed(message, octets)
            if path in ordinary:
                check_subject(message, octets)
            differs = python_sees_the_same(message, octets)
            if path in odd and name in DIFFER:
                assert differs, "is in DIFFER and does not differ"
            else:
                assert not differs, differs
            if name not in DIFFER:
                differs = python_reads_the_same(message, octets)
                if name in FIELDS_DIFFER:
                    assert differs, "is in FIELDS_DIFFER and does not differ"
                else:
                    assert not differs, differs
            results.append((name, None))
        except (AssertionError, AttributeError, StopIteration, IndexError) as why:
            results.append((name, repr(why)))
    with open(golden, "rb") as f:
        wanted = f.read().split(b"\nmessage ")
    for mine, other in zip(run("--short", *odd).split(b"\nmessage "), wanted):
        if mine != other:
            results.append(("golden", f"ours\n{mine.decode()}\nwanted\n{other.decode()}"))
            break
    else:
        results.append(("golden", None if len(wanted) == len(odd) else "not as many messages"))
    print(f"1..{len(results)}")
    for number, (name, why) in enumerate(results, 1):
        print(f"{'not ok' if why else 'ok'} {number} {name}")
        for line in (why or "").splitlines():
            print("# " + line)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
