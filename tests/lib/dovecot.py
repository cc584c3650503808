"""A real Dovecot without installing one: Debian's packages are unpacked, and its imap and pop3 run
as somebody who has logged in already, one process a connection, over one Maildir."""
import glob
import imaplib
import os
import pwd
import shlex
import shutil
import socket
import subprocess
import threading

PACKAGES = ["dovecot-core", "dovecot-imapd", "dovecot-pop3d", "libunwind8"]


class Unreachable(Exception):
    """The packages cannot be had here."""


def unpack(folder):
    """The root of the packages, in `folder`; done once. Raises Unreachable."""
    root = os.path.join(folder, "dovecot")
    if os.path.exists(root):
        return root
    scratch = f"{root}.{os.getpid()}"
    os.makedirs(scratch)
    for try_ in range(2):
        done = subprocess.run(["apt-get", "-q", "download", *PACKAGES], cwd=scratch, check=False,
                              capture_output=True, text=True, timeout=300)
        if done.returncode == 0:
            break
        if try_:
            shutil.rmtree(scratch)
            raise Unreachable(done.stderr)
        subprocess.run(["apt-get", "-q", "update"], check=False, capture_output=True, timeout=300)
    for package in glob.glob(os.path.join(scratch, "*.deb")):
        subprocess.run(["dpkg", "-x", package, scratch], check=True, timeout=60)
        os.remove(package)
    os.chmod(scratch, 0o755)
    try:
        os.rename(scratch, root)
    except OSError:  # another test was quicker
        shutil.rmtree(scratch)
    return root


class Dovecot:
    """`user` owns the mail; needed for root, who may not. `kind`: maildir, or mbox."""

    def __init__(self, root, maildir, user, kind="maildir", more=""):
        self.root, self.maildir = root, str(maildir)
        owner = pwd.getpwnam(user) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        os.makedirs(self.maildir, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self.maildir, owner.pw_uid, owner.pw_gid)
        self.options = [
            "-O", "-o", f"mail_location={kind}:{self.maildir}{more}", "-o", "ssl=no",
            "-o", f"mail_uid={owner.pw_uid}", "-o", f"mail_gid={owner.pw_gid}",
            "-o", "first_valid_uid=1", "-o", "first_valid_gid=0", "-o", "log_path=/dev/null"]

    def command(self, program, *options):
        programs = os.path.join(self.root, "usr", "lib", "dovecot")
        libraries = ":".join([programs, *glob.glob(os.path.join(self.root, "usr/lib/*-linux-gnu"))])
        return ["/usr/bin/env", f"LD_LIBRARY_PATH={libraries}", f"HOME={self.maildir}",
                "USER=alice", os.path.join(programs, program), *self.options, *options]

    def imap(self):
        return imaplib.IMAP4_stream(shlex.join(self.command("imap")))

    def serve_imap(self, connection):
        """One connection, greeted with PREAUTH."""
        self._relay(connection, self.command("imap"))

    def _relay(self, connection, command):
        """The programs refuse to run over a socket: pipes, then."""
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, bufsize=0) as process:
            threading.Thread(target=_copy, args=(connection.recv, process.stdin.write,
                                                 process.stdin.close), daemon=True).start()
            _copy(process.stdout.read, connection.sendall, lambda: None)
            connection.shutdown(socket.SHUT_RDWR)

    def serve_pop3(self, connection):
        """One connection, the client being logged in by its PASS."""
        lines = connection.makefile("rwb", buffering=0)
        lines.write(b"+OK ready\r\n")
        while True:
            line = lines.readline()
            word = line.split()[:1]
            if not line or word == [b"QUIT"]:
                return
            if word == [b"PASS"]:
                break
            lines.write({b"USER": b"+OK\r\n", b"CAPA": b"+OK\r\nUSER\r\nUIDL\r\n.\r\n"}.get(
                word[0] if word else b"", b"-ERR\r\n"))
        lines.write(b"+OK logged in\r\n")
        self._relay(connection, self.command("pop3"))


class Front:
    """An address that leads to one server and later to another, as a name in the DNS does."""

    def __init__(self, address, port, serve):
        self.address, self.port, self.serve = address, port, serve
        self.listener = socket.create_server((address, port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with connection:
            self.serve(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def forward(address, port):
    """For Front: to that server."""
    def serve(connection):
        with socket.create_connection((address, port), 30) as there:
            back = threading.Thread(target=_copy, daemon=True, args=(
                there.recv, connection.sendall, lambda: connection.shutdown(socket.SHUT_WR)))
            back.start()
            _copy(connection.recv, there.sendall, lambda: there.shutdown(socket.SHUT_WR))
            back.join()
    return serve


def _copy(read, write, close):
    try:
        while data := read(65536):
            write(data)
        close()
    except (OSError, ValueError):
        pass
