"""Rules about the source itself, so that a review need not look for them.

Who includes whom, order of includes, format, citations, size of files, a conversation for every
command. Each rule reports all places at once, as file:line.
"""
import os
import re
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What a room may include besides itself. Its order is the order of the house.
MAY_INCLUDE = {
    "core/base": [],
    "core/mime": ["core/base"],
    "core/net": ["core/base"],
    "store": ["core/base", "core/mime", "core/net"],
    "auth": ["core/base", "core/mime", "core/net", "store/store.h"],
    "pop3": ["core/base", "core/mime", "core/net", "auth/auth.h", "store/store.h"],
    "imap": ["core/base", "core/mime", "core/net", "auth/auth.h", "store/store.h"],
    "lmtp": ["core/base", "core/mime", "core/net", "auth/auth.h", "store/store.h"],
}
ONLY_IN = {
    "lmdb.h": "store/engine_lmdb.h",
    "iniparser.h": "core/base/config.c",
    "iniparser/iniparser.h": "core/base/config.c",
}
LINES_MAX = 1000


def tracked():
    """All files of the project: what git knows and what is about to be added."""
    if os.path.isdir(os.path.join(ROOT, ".git")) or os.path.isfile(os.path.join(ROOT, ".git")):
        out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                             capture_output=True, text=True).stdout.splitlines()
        return sorted(f for f in set(out) if os.path.isfile(os.path.join(ROOT, f)))
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith(("build", ".git", "__pycache__"))]
        found += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files]
    return sorted(found)


FILES = tracked()
SOURCES = [f for f in FILES if f.endswith((".c", ".h"))]


def lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read().splitlines()


def includes(path):
    """(line number, '<' or '"', name) of each #include."""
    for number, line in enumerate(lines(path), 1):
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if m:
            yield number, m.group(1), m.group(2)


def room(path):
    return "/".join(path.split("/")[:2]) if path.startswith("core/") else path.split("/")[0]


def fail_if(wrong):
    assert not wrong, "\n" + "\n".join(wrong)


def test_rooms_include_only_what_they_may():
    wrong = []
    for path in SOURCES:
        allowed = MAY_INCLUDE.get(room(path))
        for number, kind, name in includes(path):
            if kind == "<" or allowed is None or room(name) == room(path):
                continue
            if room(name) not in allowed and name not in allowed:
                wrong.append(f"{path}:{number}: {room(path)} may not include {name}")
    fail_if(wrong)


def test_libraries_are_known_to_one_file():
    fail_if([f"{path}:{number}: only {ONLY_IN[name]} includes {name}"
             for path in SOURCES for number, _, name in includes(path)
             if name in ONLY_IN and path != ONLY_IN[name] and not path.startswith("tests/")])


def test_project_includes_are_paths_from_the_root():
    fail_if([f"{path}:{number}: no such file from the root: {name}"
             for path in SOURCES for number, kind, name in includes(path)
             if kind == '"' and name not in SOURCES])


def test_own_header_first_then_system_then_project():
    wrong = []
    for path in SOURCES:
        found = list(includes(path))
        own = path[:-2] + ".h"
        if path.endswith(".c") and own in SOURCES and own in [n for _, _, n in found]:
            if found[0][2] != own:
                wrong.append(f"{path}:{found[0][0]}: its own header comes first")
        if path.endswith(".c") and found and found[0][1] == '"':
            found = found[1:]  # its own header, or the one whose functions it defines or tests
        kinds = [kind for _, kind, _ in found]
        if kinds != sorted(kinds, reverse=True):
            wrong.append(f"{path}: system includes come before the project's")
    fail_if(wrong)


def test_headers_guard_themselves():
    fail_if([f"{path}: no include guard TANDEM_..._H" for path in SOURCES
             if path.endswith(".h")
             and not re.search(r"^#ifndef TANDEM_\w+_H$", "\n".join(lines(path)), re.M)])


def test_files_are_not_longer_than_one_idea():
    fail_if([f"{path}: {n} lines; what is the second idea called?"
             for path in SOURCES for n in [len(lines(path))] if n > LINES_MAX])


def test_citations_can_be_grepped():
    """RFC 3501 section 6.4.5: one blank before the number, the word section in full."""
    bad = re.compile(r"\bRFC-?(?!822)\d|\brfc \d|\bRFC  +\d|\bRFC \d{3,4},? ?§|\bRFC \d{3,4},? (?:[Ss]ec\.|Section)"
                     r"|\bRFC \d{3,4}, section|\bRFC \d{3,4} \d+\.\d")
    fail_if([f"{path}:{number}: {line.strip()}"
             for path in SOURCES + [f for f in FILES if f.endswith(".t")]
             for number, line in enumerate(lines(path), 1) if bad.search(line)])


def test_nothing_is_promised_for_later():
    words = re.compile(r"\b(TO" + r"DO|XX" + r"X|not (?:yet )?imple" + r"mented)\b")
    fail_if([f"{path}:{number}: {line.strip()}"
             for path in SOURCES for number, line in enumerate(lines(path), 1)
             if words.search(line)])


def test_no_path_of_anybodys_machine():
    odd = re.compile(r"(?:^|[^.a-z])/(?:wo" + r"rk|fa" + r"rm|home/[a-z]+)/")
    wrong = []
    for path in FILES:
        if path.endswith((".eml", ".png")) or path.startswith("tests/fuzz/"):
            continue
        try:
            text = lines(path)
        except UnicodeDecodeError:
            continue
        wrong += [f"{path}:{number}: {line.strip()[:100]}"
                  for number, line in enumerate(text, 1) if odd.search(line)]
    fail_if(wrong)


def test_format():
    tool = shutil.which("clang-format") or shutil.which("clang-format-14")
    assert tool, "clang-format is not installed"
    run = subprocess.run([tool, "--dry-run", "-Werror", *SOURCES], cwd=ROOT, capture_output=True,
                         text=True)
    assert run.returncode == 0, "\n" + run.stderr[:4000]


@pytest.mark.parametrize("protocol", ["imap", "lmtp", "pop3"])
def test_every_command_has_a_conversation(protocol):
    """Each row {"NAME", ...} of the command table is spoken in a script called <name>-....t"""
    table = f"{protocol}/command.c"
    assert table in SOURCES, f"{table} is not there"
    names = re.findall(r'^\s*(?:\{|ROW\()"([A-Z][A-Z0-9 -]*)",', "\n".join(lines(table)), re.M)
    assert names, f"no command rows in {table}"
    scripts = [os.path.basename(f) for f in FILES if f.startswith(f"tests/scripts/{protocol}/")]
    fail_if([f"tests/scripts/{protocol}/{word}-<behaviour>.t is missing"
             for word in (n.lower().replace(" ", "-") for n in names)
             if not any(s.startswith(word + "-") for s in scripts)])


# Codes of imap/reply.c that need a fault, another server or a race to be said.
NO_CONVERSATION = {"BADURL", "CORRUPTION", "INUSE", "SERVERBUG", "UNAVAILABLE", "UNKNOWN-CTE"}


def imap_answers():
    """{command: {"OK", "BAD", "NO CODE", ...}} and all response codes that conversations expect."""
    answers, codes = {}, set()
    for path in (f for f in FILES if f.startswith("tests/scripts/imap/")):
        asked = {}
        for line in lines(path):
            said = re.match(r"C(\d?)~?: (\S+) ((?:UID )?\w+)", line, re.I)
            if said:
                asked[said.group(1, 2)] = said.group(3).upper()
            told = re.match(r"S(\d?): (\S+) (OK|NO|BAD|BYE)(?: \[([A-Z-]+))?", line)
            if told:
                codes.add(told.group(4))
                word = told.group(3) if told.group(3) != "NO" else f"NO {told.group(4)}"
                answers.setdefault(asked.get(told.group(1, 2)), set()).add(word)
    return answers, codes


def test_every_imap_row_is_refused_for_all_that_it_names():
    """States, grammar and traits of a row say how it can fail; each has been seen in a conversation."""
    table = "\n".join(lines("imap/command.c"))
    answers, codes = imap_answers()
    wrong = []
    for row in re.findall(r'ROW\("([^"]+)", (\w+), "([^"]*)", ([\w |\n]+),\s*imap_\w+\)', table):
        name, states, grammar, traits = row
        traits = set(re.findall(r"\w+", traits))
        duties = {"OK", "BAD"}
        if "mailbox" in grammar.split():
            duties.add("NO CANNOT")
            duties.add("NO TRYCREATE" if "CMD_TARGET" in traits else
                       "NO ALREADYEXISTS" if name == "CREATE" else "NO NONEXISTENT")
        if states == "IN_SELECTED" and "CMD_DEAD_VIEW" not in traits:
            duties.add("NO NONEXISTENT")
        if "CMD_VIEW" in traits:
            duties.add("NO NOPERM")
        if states == "IN_START" and "CMD_SECRET" in traits:
            duties |= {"NO AUTHENTICATIONFAILED", "NO PRIVACYREQUIRED", "NO CONTACTADMIN"}
        if name == "UNSUBSCRIBE":
            duties.discard("NO NONEXISTENT")  # what is not subscribed is unsubscribed
        wrong += [f"{name}: no conversation in which it is {duty}"
                  for duty in sorted(duties - answers.get(name, set()))]
    said = set(re.findall(r'\{"(?:NO|BAD)", +"([A-Z-]+)"', "\n".join(lines("imap/reply.c"))))
    wrong += [f"no conversation with [{code}]" for code in sorted(said - codes - NO_CONVERSATION)]
    assert len(said) > 10
    fail_if(wrong)


def test_every_verb_is_in_the_manual():
    """Each row of cmd/verbs.c has its paragraph in tandem(1), and the other way round."""
    names = set(re.findall(r'\.name = "(.*?)"', "\n".join(lines("cmd/verbs.c"))))
    page = "\n".join(lines("cmd/tandem.1")).split(".SH VERBS")[1].split(".SH EXIT")[0]
    page = re.sub(r"\\f.", "", page).replace("\\-", "-")
    heads = [entry for head in re.findall(r"^\.TP\n\.B (.*)$", page, re.M)
             for entry in head.split(", ")]
    fail_if([f"cmd/tandem.1: {name} is missing" for name in sorted(names)
             if not any(head == name or head.startswith(name + " ") for head in heads)])
    fail_if([f"cmd/tandem.1: '{head}' is no verb" for head in heads
             if head != "config check" and not any(
                 head == name or head.startswith(name + " ") for name in names)])
