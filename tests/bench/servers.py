"""The two servers of the bench, each in a control group of its own, on loopback ports.

Nothing is installed: Debian's Dovecot is unpacked into the bench's folder and laid over /usr in a
mount namespace that only its own processes see. CPU time is that of the control group, so that
processes which live for one connection are in it.
"""
import crypt
import glob
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PASSWORD = "secret"
DOMAIN = "bench.example"
ACCOUNTS = 10_000   # u0, u1, ...: quick to verify
HASHED = 10         # h0, h1, ...: SHA512-CRYPT
USER = "nobody"


class Missing(Exception):
    """What the bench needs is not there."""


class Group:
    """A control group (v2): what ran in it, and what it has cost."""

    def __init__(self, name):
        mounts = [line.split() for line in open("/proc/mounts", encoding="utf-8")]
        roots = [m[1] for m in mounts if m[2] == "cgroup2"]
        if not roots or os.geteuid() != 0:
            raise Missing("the bench measures with control groups (v2) and must be root")
        self.path = os.path.join(roots[0], name)
        os.makedirs(self.path, exist_ok=True)

    def enter(self):
        self._write("cgroup.procs", str(os.getpid()))

    def _write(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as f:
            f.write(text)

    def processes(self):
        with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as f:
            return [int(line) for line in f]

    def cpu_us(self):
        with open(os.path.join(self.path, "cpu.stat"), encoding="ascii") as f:
            return int(re.search(r"usage_usec (\d+)", f.read()).group(1))

    def memory(self):
        """(anonymous, proportional) octets of all processes."""
        anonymous = proportional = 0
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                    text = f.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            anonymous += int(re.search(r"^Anonymous: +(\d+)", text, re.M).group(1))
            proportional += int(re.search(r"^Pss: +(\d+)", text, re.M).group(1))
        return anonymous * 1024, proportional * 1024

    def remove(self):
        for _ in range(100):
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            try:
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.05)


class Server:
    """What both have: a folder, ports, accounts, sets of mail that were put in once."""

    name = None
    ports = {}

    def __init__(self, folder, first_port):
        self.dir = os.path.join(folder, self.name)
        self.address = "127.0.0.1"
        self.ports = {word: first_port + i
                      for i, word in enumerate(("imap", "pop3", "lmtp", "imaps", "pop3s"))}
        self.group = Group(f"tandem-bench-{self.name}-{os.getpid()}")
        self.process = None
        self.settings = {}
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)
        self.certificate = os.path.join(folder, "certificate.pem")
        self.key = os.path.join(folder, "key.pem")
        if not os.path.exists(self.key):
            subprocess.run([os.path.join(ROOT, "cmd", "certificate.sh"), self.certificate,
                            self.key], check=True)

    def filled(self):
        """Names of the sets of mail that are in."""
        try:
            with open(os.path.join(self.dir, "filled.json"), encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return []

    def note_filled(self, name):
        names = self.filled() + [name]
        with open(os.path.join(self.dir, "filled.json"), "w", encoding="utf-8") as f:
            json.dump(names, f)

    def launch(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=open(os.path.join(self.dir, "out"), "ab"),
                                        stderr=subprocess.STDOUT, preexec_fn=self.group.enter)
        for _ in range(600):
            try:
                for port in self.ports.values():
                    socket.create_connection((self.address, port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise Missing(f"{self.name} does not start: see {self.dir}/out")

    def stop(self):
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def use(self, settings):
        """Run with these settings beside the usual ones."""
        if self.process and settings == self.settings:
            return
        self.stop()
        self.settings = settings
        self.start()

    def capabilities(self):
        with socket.create_connection((self.address, self.ports["imap"]), 30) as s:
            f = s.makefile("rwb")
            f.readline()
            f.write(f"a LOGIN u0 {PASSWORD}\r\nb CAPABILITY\r\nc LOGOUT\r\n".encode())
            f.flush()
            return set(f.read().decode().upper().split())


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


class Tandem(Server):
    name = "tandem"

    def __init__(self, folder, build):
        super().__init__(folder, 24000)
        self.programs = os.path.join(os.path.abspath(build), "cmd")

    def config(self):
        store = os.path.join(self.dir, "store")
        text = f"""[tandem]
version = 1
hostname = {DOMAIN}
default_domain = {DOMAIN}
user = {USER}
[store]
path = {store}
map_size = 64G
[tls]
certificate = {self.certificate}
key = {self.key}
[log]
to = file:{store}/log
[limits]
connections = 15000
per_address = 20000
per_user = 1000
per_user_address = 1000
commands_per_second = 100000
"""
        for word, port in self.ports.items():
            tls = "implicit" if word.endswith("s") else "none"
            text += f"""[listen {word}]
protocol = {word[:4]}
address = {self.address}:{port}
tls = {tls}
"""
        for name, value in self.settings.items():
            section, key = name.split(".")
            text += f"[{section}]\n{key} = {value}\n"
        ini = os.path.join(self.dir, "tandem.ini")
        write(ini, text)
        return ini

    def start(self):
        store = os.path.join(self.dir, "store")
        ini = self.config()
        if not os.path.isdir(store):
            os.mkdir(store, 0o750)
            user = pwd.getpwnam(USER)
            os.chown(store, user.pw_uid, user.pw_gid)
            path = os.path.join(self.dir, "users")
            hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_SHA512))
            write(path, "".join(f"u{i}:{PASSWORD}\n" for i in range(ACCOUNTS)) +
                  "".join(f"h{i}:{{SHA512-CRYPT}}{hashed}\n" for i in range(HASHED)))
            subprocess.run([os.path.join(self.programs, "tandem"), "-c", ini, "user", "import",
                            "--scheme", "ssha512", path], check=True, stdout=subprocess.DEVNULL)
        self.launch([os.path.join(self.programs, "tandemd"), "-c", ini])


class Dovecot(Server):
    name = "dovecot"
    packages = ["dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd"]

    def __init__(self, folder):
        super().__init__(folder, 25000)
        self.usr = os.path.join(folder, "debian", "usr")
        if not os.path.exists(os.path.join(self.usr, "sbin", "dovecot")):
            self.unpack(os.path.join(folder, "debian"))

    def unpack(self, to):
        """The packages and what they need that is not installed."""
        os.makedirs(to, exist_ok=True)
        plan = subprocess.run(["apt-get", "install", "--simulate", "--no-install-recommends",
                               *self.packages], capture_output=True, text=True, check=False).stdout
        names = re.findall(r"^Inst (\S+)", plan, re.M) or ["dovecot-core", *self.packages]
        if subprocess.run(["apt-get", "download", *names], cwd=to, check=False,
                          capture_output=True).returncode:
            raise Missing("apt-get cannot download " + " ".join(names))
        for package in glob.glob(os.path.join(to, "*.deb")):
            subprocess.run(["dpkg", "-x", package, to], check=True)

    def config(self):
        cache = {"mail_fsync": "optimized", **self.settings}
        extra = "".join(f"{key} = {value}\n" for key, value in cache.items())
        listeners = "".join(
            f"""service {word}-login {{
  service_count = 0
  process_min_avail = 2
  client_limit = 11000
  chroot =
  inet_listener {word} {{
    port = {self.ports[word]}
  }}
  inet_listener {word}s {{
    port = {self.ports[word + "s"]}
    ssl = yes
  }}
}}
service {word} {{
  service_count = 0
  process_min_avail = 8
  process_limit = 12000
}}
""" for word in ("imap", "pop3"))
        ini = os.path.join(self.dir, "dovecot.conf")
        write(ini, f"""protocols = imap pop3 lmtp
listen = {self.address}
base_dir = {self.dir}/run
state_dir = {self.dir}/run
log_path = {self.dir}/log
default_internal_user = daemon
default_internal_group = daemon
default_login_user = {USER}
default_vsz_limit = 4 G
default_process_limit = 12000
default_client_limit = 24000
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{self.key}
mail_location = sdbox:~/sdbox
mail_uid = {USER}
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 20000
auth_username_format = %n
auth_cache_size = 64 M
auth_cache_ttl = 1 hour
auth_cache_negative_ttl = 1 hour
passdb {{
  driver = passwd-file
  args = {self.dir}/users
}}
userdb {{
  driver = static
  args = uid={USER} gid=nogroup home={self.dir}/mail/%n
}}
namespace inbox {{
  inbox = yes
}}
service lmtp {{
  service_count = 0
  process_min_avail = 8
  inet_listener lmtp {{
    address = {self.address}
    port = {self.ports["lmtp"]}
  }}
}}
{listeners}{extra}""")
        return ini

    def start(self):
        ini = self.config()
        mail = os.path.join(self.dir, "mail")
        if not os.path.isdir(mail):
            hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_SHA512))
            write(os.path.join(self.dir, "users"),
                  "".join(f"u{i}:{{PLAIN}}{PASSWORD}::::::\n" for i in range(ACCOUNTS)) +
                  "".join(f"h{i}:{{SHA512-CRYPT}}{hashed}::::::\n" for i in range(HASHED)))
            os.mkdir(mail)
            shutil.chown(mail, USER, "nogroup")
        with open("/proc/sys/fs/inotify/max_user_instances", "r+", encoding="ascii") as f:
            if int(f.read()) < 20000:
                f.seek(0)
                f.write("20000")
        self.launch(["unshare", "--mount", "sh", "-c",
                     f"mount -t overlay overlay -o lowerdir='{self.usr}:/usr' /usr && "
                     f"exec /usr/sbin/dovecot -F -c '{ini}'"])


class Floor(Server):
    """No mail server: what the sockets and the disk charge anybody (floor.c)."""

    name = "floor"

    def __init__(self, folder, build):
        super().__init__(folder, 26000)
        self.ports = {word: self.ports[word] for word in ("imap", "pop3", "lmtp")}
        self.program = os.path.join(os.path.abspath(build), "tests", "bench", "floor")

    def start(self):
        self.launch([self.program, os.path.join(self.dir, "written"),
                     *map(str, self.ports.values())])
