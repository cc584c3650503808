"""What `meson install` puts in place, and that what is made from tables misses none of their rows."""
import os
import re
import subprocess

import pytest

from conftest import ROOT

PREFIX = "/usr/local"


@pytest.fixture(scope="module")
def installed(request, tmp_path_factory):
    """The root that was installed into."""
    build = os.path.join(ROOT, request.config.getoption("--build"))
    root = str(tmp_path_factory.mktemp("root"))
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet"], check=True, timeout=120,
                   env={**os.environ, "DESTDIR": root}, capture_output=True)
    return root


def read(root, *path):
    with open(os.path.join(root, *path), encoding="utf-8") as f:
        return f.read()


def plain(page):
    """Without the marks of troff."""
    return re.sub(r"\\f.|\\:|\\&|^\.\w+ ?|\"", "", page.replace("\\-", "-"), flags=re.M)


def rows(path, pattern):
    found = re.findall(pattern, read(ROOT, path), re.M)
    assert len(found) > 20
    return found


def test_everything_is_in_place(installed):
    found = {os.path.relpath(os.path.join(where, name), installed)
             for where, _, names in os.walk(installed) for name in names}
    assert {"usr/local/sbin/tandemd", "usr/local/bin/tandem",
            "usr/local/lib/systemd/system/tandem.service",
            "usr/local/share/man/man8/tandemd.8", "usr/local/share/man/man1/tandem.1",
            "usr/local/share/man/man5/tandem.ini.5",
            "usr/local/share/bash-completion/completions/tandem.bash",
            "usr/local/share/zsh/site-functions/_tandem",
            "usr/local/share/doc/tandem/tandem.ini"} <= found
    assert any(path.endswith("fail2ban/filter.d/tandem.conf") for path in found)
    unit = read(installed, "usr/local/lib/systemd/system/tandem.service")
    assert "ExecStart=/usr/local/sbin/tandemd\n" in unit and "@" not in unit.replace("@system-service", "") \
        .replace("@privileged", "").replace("@resources", "")


def test_the_example_is_a_good_configuration(installed):
    for program, arguments in (("sbin/tandemd", ["-t"]), ("bin/tandem", ["config", "check"])):
        path = os.path.join(installed, "usr/local/share/doc/tandem/tandem.ini")
        run = subprocess.run([os.path.join(installed, "usr/local", program), "-c", path, *arguments],
                             capture_output=True, text=True, timeout=60, check=False)
        assert (run.returncode, run.stdout, run.stderr) == (0, f"{path}: good\n", "")


def test_the_page_holds_every_key(installed):
    page = plain(read(installed, "usr/local/share/man/man5/tandem.ini.5"))
    parts = dict(re.findall(r"^\[(\w+)[^\n]*\n(.*?)(?=^\[|^FILES)", page, re.M | re.S))
    for section, key in rows("core/base/config_table.c", r'^    \{"(\w+)", "(\w+)", KIND_'):
        about = re.search(rf"^{key} = .+\n(.+)", parts[section], re.M)
        assert about and len(about[1]) > 5, f"[{section}] {key}"


def test_the_page_of_the_tool_holds_every_verb(installed):
    page = plain(read(installed, "usr/local/share/man/man1/tandem.1"))
    missing = [verb for verb in rows("cmd/verbs.c", r'^        \.name = "([a-z ]+)"')
               if not re.search(rf"\b{verb}\b", page)]
    assert missing == []


def complete(installed, *words):
    script = read(installed, "usr/local/share/bash-completion/completions/tandem.bash")
    quoted = " ".join(f"'{word}'" for word in ("tandem", *words))
    run = subprocess.run(["bash", "-c", f"{script}\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(words)}\n"
                          "_tandem_words\nprintf '%s\\n' \"${COMPREPLY[@]}\""],
                         capture_output=True, text=True, timeout=60, check=True)
    assert run.stderr == ""
    return run.stdout.split()


def test_bash_completes(installed):
    verbs = rows("cmd/verbs.c", r'^        \.name = "([a-z ]+)"')
    assert set(complete(installed, "")) >= {verb.split()[0] for verb in verbs}
    assert complete(installed, "rel") == ["reload"]
    for family in ("user", "domain", "mailbox"):
        assert sorted(complete(installed, family, "")) == sorted(
            verb.split()[1] for verb in verbs if verb.startswith(family + " "))
    assert complete(installed, "config", "") == ["check", "show"]
    assert complete(installed, "user", "add", "--s") == ["--scheme"]
    assert complete(installed, "user", "add", "--scheme", "yes") == ["yescrypt"]
    assert complete(installed, "user", "set", "alice", "pop3.hide_") == ["pop3.hide_seen", "pop3.hide_downloaded"]
    assert complete(installed, "-c", "/x", "check", "--") == ["--bodies", "--json", "--no-header", "--help"]
    assert complete(installed, "check", "--no-h") == ["--no-header"]


def test_zsh_is_given_the_same(installed):
    bash = read(installed, "usr/local/share/bash-completion/completions/tandem.bash").splitlines()
    zsh = read(installed, "usr/local/share/zsh/site-functions/_tandem").splitlines()
    assert zsh[0] == "#compdef tandem"
    assert zsh[2:-1] == bash[1:-1]
