"""Real Postfix and real Exim deliver over LMTP: what they ask, what they are told, and what becomes
of their queues. Each has its configuration and queue in a directory of its own."""
import glob
import os
import re
import shutil
import subprocess
import tempfile
import time

import pytest
from conftest import DOMAIN, PORTS

SMALL = b"Subject: small\r\nMessage-ID: <%s@example.org>\r\n\r\nA few words.\r\n"
LINE = b"x" * 70 + b"\r\n"


def message(name, octets=0):
    return SMALL % name.encode() + LINE * (octets // len(LINE))


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, **options)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)


class Mta:
    def __init__(self, address, destination):
        self.address = address
        self.destination = destination  # a path, or (host, port)
        self.dir = tempfile.mkdtemp(prefix="tandem-mta-")
        os.chmod(self.dir, 0o755)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def logs(self):
        texts = []
        for path in glob.glob(os.path.join(self.dir, "log*", "*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                texts.append(f.read()[-6000:])
        return "\n".join(texts)


MASTER = """
smtp      inet  n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 2 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
lmtp      unix  - - n - - lmtp
tlsmgr    unix  - - n 1000? 1 tlsmgr
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix(Mta):
    def __init__(self, address, destination):
        super().__init__(address, destination)
        where = (f"unix:{destination}" if isinstance(destination, str)
                 else f"inet:[{destination[0]}]:{destination[1]}")
        self.port = 10025
        for name in ("queue", "data", "conf", "log"):
            os.mkdir(os.path.join(self.dir, name), 0o755)
        shutil.chown(os.path.join(self.dir, "data"), "postfix")
        self.write("conf/master.cf", MASTER.replace("smtp      inet", f"{address}:{self.port} inet", 1))
        self.write("conf/main.cf", f"""
compatibility_level = 3.6
myhostname = relay.example.net
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
queue_directory = {self.dir}/queue
data_directory = {self.dir}/data
maillog_file = {self.dir}/log/mail
maillog_file_prefixes = {self.dir}
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps =
virtual_transport = lmtp:{where}
lmtp_send_xforward_command = yes
lmtp_tls_security_level = may
message_size_limit = 0
mailbox_size_limit = 0
virtual_mailbox_limit = 0
bounce_size_limit = 5000
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
""")
        self.postfix("start")

    def postfix(self, verb):
        return run("/usr/sbin/postfix", "-c", f"{self.dir}/conf", verb)

    def send(self, sender, recipients, text):
        import smtplib
        for attempt in range(50):
            try:
                client = smtplib.SMTP(self.address, self.port, timeout=30)
                break
            except OSError:
                assert attempt < 49, self.logs()
                time.sleep(0.2)
        with client:
            assert not client.sendmail(sender, recipients, text)

    def queued(self):
        lines = run("/usr/sbin/postqueue", "-c", f"{self.dir}/conf", "-j").splitlines()
        return len(lines)

    def flush(self):
        run("/usr/sbin/postqueue", "-c", f"{self.dir}/conf", "-f")

    def stop(self):
        subprocess.run(["/usr/sbin/postfix", "-c", f"{self.dir}/conf", "stop"],
                       capture_output=True, timeout=60, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def unpack_exim():
    """Exim and Postfix cannot both be installed on Debian; a package can be unpacked, though."""
    root = os.path.join(tempfile.gettempdir(), f"tandem-exim-{os.getuid()}")
    program = os.path.join(root, "usr/sbin/exim4")
    if not os.path.exists(program):
        os.makedirs(root, exist_ok=True)
        run("apt-get", "download", "-q", "exim4-daemon-light", cwd=root)
        run("dpkg", "-x", glob.glob(os.path.join(root, "*.deb"))[0], root)
    return program


class Exim(Mta):
    """With chunks (RFC 3030) where it speaks TCP. Debian's knows its user by name, which is there
    only in a mount namespace of its own."""

    def __init__(self, address, destination):
        super().__init__(address, destination)
        self.exim = unpack_exim()
        for name in ("spool", "log"):
            os.mkdir(os.path.join(self.dir, name), 0o755)
            shutil.chown(os.path.join(self.dir, name), "nobody", "nogroup")
        for name, line in (("passwd", "Debian-exim:x:65534:65534::/:/bin/false\n"),
                           ("group", "Debian-exim:x:65534:\n")):
            with open(f"/etc/{name}", encoding="utf-8") as f:
                self.write(name, f.read() + line)
        transport = (f"driver = lmtp\n  socket = {destination}\n  batch_max = 100\n  user = nobody"
                     if isinstance(destination, str) else
                     f"driver = smtp\n  protocol = lmtp\n  hosts = {destination[0]}\n"
                     f"  port = {destination[1]}\n  allow_localhost\n  hosts_try_chunking = *\n"
                     "  tls_verify_certificates =\n  hosts_override\n  hosts_try_prdr = :\n"
                     "  hosts_try_fastopen = :")
        self.conf = self.write("conf", f"""
primary_hostname = relay.example.net
exim_path = {self.exim}
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
keep_environment =
spool_directory = {self.dir}/spool
log_file_path = {self.dir}/log/%slog
log_selector = +smtp_confirmation
return_size_limit = 5K
message_size_limit = 0
disable_ipv6
begin routers
all:
  driver = {"accept" if isinstance(destination, str) else "manualroute"}
  {"" if isinstance(destination, str) else f"route_list = * {destination[0]}"}
  {"" if isinstance(destination, str) else "self = send"}
  transport = tandem
begin transports
tandem:
  {transport}
begin retry
* * F,1h,1s
""")

    def command(self, *arguments, **options):
        return run("unshare", "-m", "sh", "-c",
                   'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && '
                   'exec "$@"', self.dir, self.exim, "-C", self.conf, *arguments, **options)

    def send(self, sender, recipients, text):
        self.command("-odf", "-oi", "-f", sender, *recipients, input=text.replace(b"\r\n", b"\n"))

    def queued(self):
        return int(self.command("-bpc"))

    def flush(self):
        self.command("-qff")

    def stop(self):
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture(params=["unix", "tcp"])
def by(request):
    return request.param


@pytest.fixture
def rig(by, make_server, tmp_path_factory):
    """rig(Postfix): (server, mta)"""
    made = []
    folder = tempfile.mkdtemp(prefix="tandem-lmtp-")
    os.chmod(folder, 0o777)
    path = os.path.join(folder, "lmtp")

    def make(kind):
        server = make_server(["alice", "bob", "carol", "dave"], {
            ("listen local", "protocol"): "lmtp", ("listen local", "address"): f"unix:{path}",
            ("listen local", "mode"): "0666", ("listen lmtp", "tls"): "starttls",
            ("store", "message_size"): "64k"})
        mta = kind(server.address, path if by == "unix" else (server.address, PORTS["lmtp"]))
        made.append(mta)
        return server, mta

    yield make
    for mta in made:
        mta.stop()
    shutil.rmtree(folder, ignore_errors=True)


def bodies(server, user):
    imap = server.imap(user)
    found = [row["BODY"] for row in imap.fetch_dict("1:*", "(UID BODY.PEEK[])").values()]
    imap.logout()
    return found


def has(server, user, name):
    return sum(f"<{name}@example.org>".encode() in body for body in bodies(server, user))


def at(*users):
    return [f"{user}@{DOMAIN}" for user in users]


@pytest.mark.parametrize("kind", [Postfix, Exim])
def test_what_becomes_of_the_queue(kind, by, rig):
    server, mta = rig(kind)
    sender = f"carol@{DOMAIN}"

    def settled(what):
        wait_for(lambda: mta.queued() == 0, f"{what}: the queue is not empty\n{mta.logs()}")

    def bounced(count, code, what):
        wait_for(lambda: len(bodies(server, "carol")) == count, f"{what}\n{mta.logs()}")
        assert code in bodies(server, "carol")[-1], what
        settled(what)

    mta.send(sender, at("alice"), message("single"))
    settled("single")
    assert has(server, "alice", "single") == 1

    mta.send(sender, at("alice", "bob", "dave"), message("many"))
    settled("many")
    assert [has(server, user, "many") for user in ("alice", "bob", "dave")] == [1, 1, 1]

    mta.send(sender, at("alice", "nobody", "bob"), message("unknown"))
    bounced(1, b"5.1.1", "unknown recipient")
    assert [has(server, user, "unknown") for user in ("alice", "bob")] == [1, 1]

    mta.send(sender, at("alice"), message("big", 100_000))
    bounced(2, b"big@example.org", "too big")
    assert has(server, "alice", "big") == 0

    run_tool(server, "user", "set", "dave", "store.quota=64k")
    mta.send(sender, at("alice", "dave"), message("fits", 50_000))
    settled("fits")
    mta.send(sender, at("alice", "dave"), message("full", 50_000))
    wait_for(lambda: has(server, "alice", "full") == 1, f"full\n{mta.logs()}")
    assert mta.queued() == 1 and has(server, "dave", "full") == 0
    run_tool(server, "user", "unset", "dave", "store.quota")
    time.sleep(1.1)
    mta.flush()
    settled("room again")
    assert [has(server, user, "full") for user in ("alice", "dave")] == [1, 1]

    assert server.stop() == 0
    mta.send(sender, at("alice", "bob"), message("later"))
    time.sleep(0.5)
    assert mta.queued() == 1
    server.start()
    time.sleep(1.1)
    mta.flush()
    settled("server back")
    assert [has(server, user, "later") for user in ("alice", "bob")] == [1, 1]
    assert len(bodies(server, "carol")) == 2, "nothing else came back"
    if kind is Postfix:
        assert server.logged("delivered: ", " qid=")
        assert re.search(r"delivered: .* qid=[0-9A-Za-z]+ ", server.log_text())
    elif by == "tcp":
        assert "CHUNKING" in mta.logs() or " K " in mta.logs(), "Exim sent no chunks"


def run_tool(server, *arguments):
    done = server.tool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
