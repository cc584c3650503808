"""Programs that people fetch mail with: each keeps mail and knows what it has seen, and each empties
the maildrop, in plaintext, after STLS, and over TLS from the start."""
import glob
import hashlib
import os
import poplib
import shutil
import subprocess
import tempfile

import pytest
from conftest import DOMAIN, PASSWORD, PORTS, getmail

WAYS = ["plain", "stls", "tls"]


def run(*command, good=(0,), **options):
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, **options)
    assert done.returncode in good, (command, done.returncode, done.stdout, done.stderr)
    return done.stdout


class Client:
    """A user's set-up in a folder: fetch() once more returns how many messages that one brought."""

    def __init__(self, server, folder, user, way, keep):
        self.server, self.dir, self.user, self.way, self.keep = server, folder, user, way, keep
        self.port = PORTS["pop3s" if way == "tls" else "pop3"]
        for name in ("Mail", "Mail/new", "Mail/cur", "Mail/tmp"):
            os.makedirs(os.path.join(folder, name))

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    def messages(self):
        found = []
        for path in glob.glob(os.path.join(self.dir, "Mail", "new", "*")):
            with open(path, "rb") as f:
                found.append(f.read().replace(b"\r\n", b"\n"))
        return found

    def fetch(self):
        before = len(self.messages())
        self.run()
        return len(self.messages()) - before


class Fetchmail(Client):
    def run(self):
        ssl = {"plain": "sslproto ''", "stls": "sslproto 'auto'", "tls": "ssl"}[self.way]
        store = self.write("mda", 'cat >"$0.$$" && mv "$0.$$" "$(dirname "$0")/Mail/new"\n')
        self.write("rc", f"""
poll {self.server.address} proto pop3 port {self.port} uidl
  user "{self.user}" password "{PASSWORD}" {ssl} sslcertfile "{self.server.certificate}" no sslcertck
  {"keep" if self.keep else "nokeep"} mda "/bin/sh {store}"
""")
        run("fetchmail", "-f", f"{self.dir}/rc", "--nosyslog", "-N", "--pidfile", f"{self.dir}/pid",
            "-i", f"{self.dir}/ids", good=(0, 1), env={**os.environ, "FETCHMAILHOME": self.dir})


class Getmail(Client):
    ways = ["plain", "tls"]  # it knows no STLS

    def run(self):
        kind = "SimplePOP3SSLRetriever" if self.way == "tls" else "SimplePOP3Retriever"
        getmail(self.dir, kind, self.server, self.user, not self.keep)


class Mpop(Client):
    def run(self):
        rc = self.write("mpoprc", f"""
account default
host {self.server.address}
port {self.port}
user {self.user}
password {PASSWORD}
auth user
tls {"off" if self.way == "plain" else "on"}
tls_starttls {"on" if self.way == "stls" else "off"}
tls_certcheck off
keep {"on" if self.keep else "off"}
uidls_file {self.dir}/uidls
delivery maildir {self.dir}/Mail
""")
        run("mpop", "-C", rc, "-q")


class Poplib(Client):
    """As the scripts do that people write: UIDL, then what is new."""

    def run(self):
        if self.way == "tls":
            pop3 = poplib.POP3_SSL(self.server.address, self.port, timeout=30,
                                   context=self.server.tls_context())
        else:
            pop3 = poplib.POP3(self.server.address, self.port, timeout=30)
            if self.way == "stls":
                pop3.stls(self.server.tls_context())
        pop3.user(self.user)
        pop3.pass_(PASSWORD)
        known = set(open(self.write("ids", "") if not os.path.exists(f"{self.dir}/ids")
                         else f"{self.dir}/ids", encoding="utf-8").read().split())
        for line in pop3.uidl()[1]:
            number, uidl = line.decode().split()
            if uidl not in known:
                lines = pop3.retr(int(number))[1]
                self.write(f"Mail/new/{uidl}", b"\n".join(lines + [b""]).decode())
                known.add(uidl)
            if not self.keep:
                pop3.dele(int(number))
        self.write("ids", "\n".join(known))
        pop3.quit()


class Curl(Client):
    def curl(self, path, *arguments):
        scheme = "pop3s" if self.way == "tls" else "pop3"
        tls = ["--ssl-reqd"] if self.way == "stls" else []
        return run("curl", "-s", "-k", *tls, "--user", f"{self.user}:{PASSWORD}", *arguments,
                   f"{scheme}://{self.server.address}:{self.port}/{path}")

    def run(self):
        """The last one first: each command is a session of its own, and a DELE moves what follows."""
        for line in reversed(self.curl("", "-X", "UIDL").decode().splitlines()):
            if not line:
                continue  # an empty listing is an empty line
            number, uidl = line.split()
            if not os.path.exists(f"{self.dir}/Mail/new/{uidl}"):
                self.write(f"Mail/new/{uidl}", self.curl(number).decode())
            if not self.keep:
                self.curl(number, "-X", "DELE", "--list-only")


def clients():
    for kind in (Fetchmail, Getmail, Mpop, Poplib, Curl):
        for way in getattr(kind, "ways", WAYS):
            yield pytest.param(kind, way, id=f"{kind.__name__}-{way}")


def text(name):
    return (f"Subject: {name}\r\nMessage-ID: <{name}@example.org>\r\n\r\n"
            "..\r\n.\r\n.dot\r\n" + f"body of {name}\r\n").encode()


def left(server, user):
    pop3 = server.pop3(user)
    count = pop3.stat()[0]
    pop3.quit()
    return count


@pytest.fixture
def folder():
    """Of root, but mail may be stored by another user (getmail insists)."""
    path = tempfile.mkdtemp(prefix="tandem-pop3-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.mark.parametrize("kind,way", clients())
def test_keeps_and_empties(kind, way, make_server, folder):
    server = make_server(["alice", "bob"])
    for name in ("one", "two", "three"):
        server.deliver(text(name), "alice", "bob")

    keeper = kind(server, f"{folder}/alice", "alice", way, keep=True)
    assert keeper.fetch() == 3
    assert keeper.fetch() == 0, "it knows what it has seen"
    server.deliver(text("four"), "alice")
    assert keeper.fetch() == 1
    assert left(server, "alice") == 4
    for name in ("one", "two", "three", "four"):
        body = text(name).split(b"\r\n\r\n", 1)[1].replace(b"\r\n", b"\n")
        assert sum(message.endswith(b"\n\n" + body) for message in keeper.messages()) == 1, name

    emptier = kind(server, f"{folder}/bob", "bob", way, keep=False)
    assert emptier.fetch() == 3
    assert left(server, "bob") == 0


def test_apop(make_server):
    """RFC 1939 section 7: only for an account whose credential is {PLAIN}."""
    server = make_server(["alice", "erin"], {("pop3", "apop"): "yes", ("auth", "delay"): "0s..0s"})
    run(os.path.join(server.programs, "tandem"), "-c", server.ini, "user", "passwd", "erin",
        "--apop", "--password-stdin", input=b"digested\n")
    server.deliver(text("one"), "erin")
    pop3 = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
    pop3.apop("erin", "digested")
    assert pop3.stat()[0] == 1
    pop3.quit()
    stamps = set()
    for user, password in (("erin", PASSWORD), ("alice", PASSWORD), ("nobody", PASSWORD)):
        pop3 = poplib.POP3(server.address, PORTS["pop3"], timeout=30)
        stamps.add(hashlib.sha256(pop3.getwelcome()).digest())
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
            pop3.apop(user, password)
        with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
            pop3.user("erin")
            pop3.pass_("digested")
        pop3.close()
    assert len(stamps) == 3, "no two greetings are the same"
    server.pop3("erin").quit()
    assert server.logged(f"user=erin@{DOMAIN}", "mech=apop")
