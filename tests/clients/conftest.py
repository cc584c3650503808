"""A Tandem of its own for each scenario, and clients that speak to it."""
import imaplib
import os
import poplib
import pwd
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
imaplib._MAXLINE = poplib._MAXLINE = 10_000_000

PORTS = {"imap": 10143, "pop3": 10110, "imaps": 10993, "pop3s": 10995, "lmtp": 10024}
DOMAIN = "example.org"
PASSWORD = "secret"


def pytest_addoption(parser):
    parser.addoption("--build", default="build", help="meson's build directory")
    parser.addoption("--rounds", type=int, default=5, help="kill -9 this often")
    parser.addoption("--count", type=int, default=2000, help="messages of the corpus")


def service_user():
    for name in ("tandem", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise RuntimeError("no user to run as")


class Server:
    """tandemd with a store in a temporary directory, on a loopback address of its own."""

    count = 0

    def __init__(self, build, users, settings=(), under=()):
        Server.count += 1
        self.under = under
        pid = os.getpid()
        self.address = f"127.{16 + pid % 200}.{pid // 200 % 250}.{250 - Server.count % 200}"
        self.programs = os.path.join(os.path.abspath(build), "cmd")
        self.certificate = os.path.join(os.path.abspath(build), "tests", "certificate.pem")
        self.dir = tempfile.mkdtemp(prefix="tandem-client-")
        os.chmod(self.dir, 0o755)
        self.store = os.path.join(self.dir, "store")
        self.empty_store()
        self.ini = os.path.join(self.dir, "tandem.ini")
        self.log = os.path.join(self.dir, "log")
        self.process = None
        self.write_ini(dict(settings))
        self.users_import(users)

    def empty_store(self):
        """Whatever was there is lost."""
        shutil.rmtree(self.store, ignore_errors=True)
        os.mkdir(self.store, 0o750)
        if os.geteuid() == 0:
            os.chown(self.store, service_user().pw_uid, service_user().pw_gid)

    def write_ini(self, settings):
        keys = {
            "tandem": {"version": 1, "hostname": "mail." + DOMAIN, "default_domain": DOMAIN,
                       "loops": 2, "workers": 2},
            "store": {"path": self.store, "map_size": "8G"},
            "tls": {"certificate": self.certificate,
                    "key": self.certificate.replace("certificate.pem", "key.pem")},
            "limits": {"per_address": 10000, "commands_per_second": 100000},
        }
        if os.geteuid() == 0:
            keys["tandem"]["user"] = service_user().pw_name
        for name, port in PORTS.items():
            tls = {"imap": "starttls", "pop3": "starttls", "lmtp": "none"}.get(name, "implicit")
            keys["listen " + name] = {"protocol": name[:4], "address": f"{self.address}:{port}",
                                      "tls": tls}
        for (section, key), value in settings.items():
            keys.setdefault(section, {})[key] = value
        with open(self.ini, "w", encoding="utf-8") as f:
            for section, values in keys.items():
                f.write(f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()) + "\n")
        with open(os.path.join(self.dir, "banner"), "w", encoding="utf-8") as f:
            f.write("ready\n")

    def users_import(self, users):
        path = os.path.join(self.dir, "users")
        with open(path, "w", encoding="utf-8") as f:
            f.write("".join(f"{user}:{PASSWORD}\n" for user in users))
        run = self.tool("user", "import", "--scheme", "ssha512", path)
        assert run.returncode == 0, run.stdout + run.stderr

    def tool(self, *arguments):
        return subprocess.run([os.path.join(self.programs, "tandem"), "-c", self.ini, *arguments],
                              capture_output=True, text=True, timeout=120, check=False)

    def start(self):
        """Returns the seconds until it served."""
        began = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.under, os.path.join(self.programs, "tandemd"), "-c", self.ini, "--banner",
                 os.path.join(self.dir, "banner")],
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL)
        line = self.process.stdout.readline()
        assert line == b"ready\n", "the daemon does not serve:\n" + self.log_text()
        return time.monotonic() - began

    def stop(self):
        """Returns the exit status."""
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "it does not stop"
        self.process.stdout.close()
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-8000:]

    def logged(self, *texts, seconds=10):
        """The log has all of these, at once or soon: a thread of its own writes it."""
        until = time.monotonic() + seconds
        while not all(text in self.log_text() for text in texts):
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def tls_context(self):
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = False
        return context

    def imap(self, user, mailbox="INBOX", timeout=30):
        client = Imap(self.address, PORTS["imap"], timeout=timeout)
        client.login(user, PASSWORD)
        if mailbox:
            ok(client.select(mailbox))
        return client

    def pop3(self, user, timeout=30):
        client = poplib.POP3(self.address, PORTS["pop3"], timeout=timeout)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.user(user)
        client.pass_(PASSWORD)
        return client

    def lmtp(self, timeout=30):
        client = Lmtp(self.address, PORTS["lmtp"], timeout=timeout)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def deliver(self, message, *users):
        with self.lmtp() as client:
            answers = client.deliver(message, *users)
            assert all(code == 250 for code, _ in answers.values()), answers


class Lmtp(smtplib.LMTP):
    """smtplib's reads one answer after the data; LMTP gives one for each recipient."""

    def deliver(self, message, *users, sender="sender@example.net"):
        """{user: (code, text)}, the answer to RCPT where that was a refusal."""
        self.ehlo_or_helo_if_needed()
        code, text = self.mail(sender)
        if code != 250:
            raise smtplib.SMTPResponseException(code, text)
        answers = {user: self.rcpt(f"{user}@{DOMAIN}") for user in users}
        accepted = [user for user, (code, _) in answers.items() if code == 250]
        if not accepted:
            self.rset()
            return answers
        answers[accepted[0]] = self.data(message)
        for user in accepted[1:]:
            answers[user] = self.getreply()
        return answers


class Imap(imaplib.IMAP4):
    """imaplib with what scenarios need beside it: IDLE, and whole FETCH answers."""

    def open(self, host="", port=imaplib.IMAP4_PORT, timeout=None):
        super().open(host, port, timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def idle(self):
        self.idle_tag = self._new_tag()
        self.send(self.idle_tag + b" IDLE\r\n")
        line = self.readline()
        assert line.startswith(b"+"), line

    def idle_line(self):
        """The next untagged response, without its CRLF."""
        return self.readline().rstrip(b"\r\n")

    def idle_done(self):
        """Returns what was still said."""
        self.send(b"DONE\r\n")
        said = []
        while True:
            line = self.readline().rstrip(b"\r\n")
            if line.startswith(self.idle_tag):
                assert line.split()[1] == b"OK", line
                return said
            said.append(line)

    def fetch_dict(self, messages, items, uid=True):
        """{uid: {"FLAGS": set, "SIZE": n, "BODY": octets}} of what was asked for."""
        command = "UID" if uid else "FETCH"
        status, data = (self.uid("FETCH", messages, items) if uid
                        else self.fetch(messages, items))
        assert status == "OK", (command, status, data)
        found = {}
        for entry in data:
            if entry is None or entry == b")":
                continue
            head, body = entry if isinstance(entry, tuple) else (entry, None)
            row = {}
            for key, pattern in (("UID", rb"UID (\d+)"), ("SIZE", rb"RFC822\.SIZE (\d+)")):
                match = re.search(pattern, head)
                if match:
                    row[key] = int(match.group(1))
            match = re.search(rb"FLAGS \(([^)]*)\)", head)
            if match:
                row["FLAGS"] = set(match.group(1).decode().split())
            if body is not None:
                row["BODY"] = body
            if "UID" in row:
                found.setdefault(row["UID"], {}).update(row)
        return found


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def getmail(home, kind, server, user, delete, more=""):
    """One run with the retriever `kind` into the Maildir home/Mail; `home` holds what it remembers.
    Not as root, whom it refuses."""
    for name in ("", "Mail", "Mail/new", "Mail/cur", "Mail/tmp"):
        os.makedirs(os.path.join(home, name), exist_ok=True)
    port = PORTS[("imap" if "IMAP" in kind else "pop3") + ("s" if "SSL" in kind else "")]
    with open(os.path.join(home, "getmailrc"), "w", encoding="utf-8") as f:
        f.write(f"""
[retriever]
type = {kind}
server = {server.address}
port = {port}
username = {user}
password = {PASSWORD}
{more}
[destination]
type = Maildir
path = {home}/Mail/
[options]
read_all = false
delete = {delete}
delivered_to = false
received = false
""")
    who = {}
    if os.geteuid() == 0:
        other = service_user()
        who = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
        for path, _, names in os.walk(home):
            for name in [path] + [os.path.join(path, name) for name in names]:
                os.chown(name, other.pw_uid, other.pw_gid)
    done = subprocess.run(["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "getmail.py"),
                           "-q", "--getmaildir", str(home)], capture_output=True, text=True,
                          timeout=120, check=False,
                          env={**os.environ, "HOME": str(home)}, **who)
    assert done.returncode == 0, done.stdout + done.stderr


def anonymous(server):
    """Octets of memory that are not the store's map."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"RssAnon:\s+(\d+) kB", f.read()).group(1)) * 1024


@pytest.fixture
def build(request):
    path = os.path.join(ROOT, request.config.getoption("--build"))
    assert os.path.exists(os.path.join(path, "cmd", "tandemd")), f"no tandemd in {path}"
    return path


@pytest.fixture
def make_server(build):
    """make_server([users], {(section, key): value}): started, and stopped at the end. `under`: the
    command that runs it."""
    servers = []

    def make(users, settings=(), under=()):
        server = Server(build, users, settings, under)
        servers.append(server)
        server.start()
        return server

    yield make
    statuses = [server.stop() for server in servers]
    logs = "\n".join(server.log_text() for server, status in zip(servers, statuses) if status)
    for server in servers:
        server.remove()
    assert not any(statuses), f"exit status {statuses}\n{logs}"


@pytest.fixture
def show(capsys, request):
    """Print a figure even when the test passes."""
    def show_line(text):
        with capsys.disabled():
            print(f"\n  {request.node.name}: {text}", flush=True)
    return show_line
