"""The daemon as systemd runs it, behind a proxy, and how it ends."""
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import PASSWORD, PORTS, Server


@pytest.fixture
def server(build):
    s = Server(build, ["alice"])
    yield s
    s.stop()
    s.remove()


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def own_key(server):
    """One that the daemon's user may read: a reload is done without root."""
    key = os.path.join(server.dir, "key.pem")
    shutil.copy(server.certificate.replace("certificate.pem", "key.pem"), key)
    os.chown(key, os.stat(server.store).st_uid, -1)
    server.write_ini({("tls", "key"): key})


# --- systemd -------------------------------------------------------------------------------------


def start_as_systemd(server, sockets, notify):
    """sd_listen_fds(3): descriptors from 3 on, with names, for the process that LISTEN_PID names."""
    def hand_over():
        for n, sock in enumerate(sockets.values()):
            os.dup2(sock.fileno(), 3 + n)
        os.environ["LISTEN_PID"] = str(os.getpid())

    os.environ.update(LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=":".join(sockets),
                      NOTIFY_SOCKET=notify)
    try:
        with open(server.log, "ab") as log:
            # not env=: preexec_fn has to add the child's own number
            server.process = subprocess.Popen(
                ["sh", "-c", 'LISTEN_PID=$$ exec "$0" -c "$1"',
                 os.path.join(server.programs, "tandemd"), server.ini],
                stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, close_fds=False,
                preexec_fn=hand_over)
    finally:
        for name in ("LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET"):
            del os.environ[name]


def test_systemd_hands_over_sockets_and_is_told(server):
    notify = os.path.join(server.dir, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, \
            socket.create_server((server.address, 20143)) as imap, \
            socket.create_server((server.address, 20110)) as pop3:
        told.bind(notify)
        os.chmod(notify, 0o666)
        told.settimeout(30)
        own_key(server)
        start_as_systemd(server, {"imap": imap, "pop3": pop3}, notify)
        assert told.recv(4096) == b"READY=1"
        for port, greeting in ((20143, b"* OK"), (20110, b"+OK")):
            with socket.create_connection((server.address, port), timeout=30) as client:
                assert client.recv(4096).startswith(greeting)
        with pytest.raises(OSError):  # not bound besides
            socket.create_connection((server.address, PORTS["imap"]), timeout=30)
        socket.create_connection((server.address, PORTS["imaps"]), timeout=30).close()  # the others are

        assert server.tool("reload").returncode == 0
        assert told.recv(4096).startswith(b"RELOADING=1")
        assert told.recv(4096) == b"READY=1"
        with socket.create_connection((server.address, 20143), timeout=30) as client:
            assert client.recv(4096).startswith(b"* OK")  # kept
        server.process.send_signal(signal.SIGTERM)
        assert told.recv(4096) == b"STOPPING=1"
        assert server.process.wait(30) == 0


# --- PROXY protocol, versions 1 and 2 ---------------------------------------------------------------


def v1(address):
    return f"PROXY TCP4 {address} 192.0.2.1 54321 143\r\n".encode()


def v2(address):
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, 0x11]) + (12).to_bytes(2, "big")
            + socket.inet_aton(address) + socket.inet_aton("192.0.2.1")
            + (54321).to_bytes(2, "big") + (143).to_bytes(2, "big"))


def refused(server, header):
    """What the client hears to its LOGIN, and what the log says of it; None if it is shut out."""
    before = server.log_text().count("auth-failed")
    with socket.create_connection((server.address, PORTS["imap"]), timeout=30) as sock:
        sock.sendall(header + b"a LOGIN alice wrong\r\n")
        answer = b""
        try:
            while b"a NO" not in answer:
                more = sock.recv(4096)
                if not more:
                    return None, None
                answer += more
        except ConnectionResetError:
            return None, None
    wait_for(lambda: server.log_text().count("auth-failed") > before)
    lines = [line for line in server.log_text().splitlines() if "auth-failed" in line]
    return answer[answer.index(b"a NO"):].decode(), lines[-1]


def test_a_proxy_names_the_client(make_server):
    server = make_server(["alice"], {
        ("listen imap", "proxy_from"): "127.0.0.0/8", ("auth", "delay"): "0s..0s",
        ("auth", "plaintext_auth"): "always"})
    assert "rip=198.51.100.7 " in refused(server, v1("198.51.100.7"))[1]
    assert "rip=203.0.113.9 " in refused(server, v2("203.0.113.9"))[1]
    assert refused(server, b"") == (None, None)  # whoever must send a header is shut out without


def test_a_client_behind_a_proxy_is_not_local(make_server):
    """[auth] plaintext_auth = local: the proxy is on this machine, its client is not."""
    server = make_server(["alice"], {("listen imap", "proxy_from"): "127.0.0.0/8"})
    answer, line = refused(server, v1("198.51.100.7"))
    assert "PRIVACYREQUIRED" in answer and "reason=plaintext " in line


# --- SIGTERM ----------------------------------------------------------------------------------------


def test_a_stop_waits_for_nobody_longer_than_it_may(make_server):
    """An upload that stands still, a download that is not read, a maildrop, a stranger."""
    server = make_server(["alice"], {("tandem", "drain"): "4s"})
    server.deliver(b"Subject: big\r\n\r\n" + b"x" * 70 + b"\r\n" * 1 + (b"y" * 76 + b"\r\n") * 100000, "alice")
    upload = server.imap("alice")
    upload.send(b"z APPEND INBOX {1000000}\r\n")
    assert upload.readline().startswith(b"+")
    upload.send(b"Subject: half\r\n")
    unread = socket.create_connection((server.address, PORTS["pop3"]), timeout=30)
    unread.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    unread.sendall(f"USER alice\r\nPASS {PASSWORD}\r\nRETR 1\r\n".encode())
    idle = server.imap("alice")
    stranger = socket.create_connection((server.address, PORTS["imap"]), timeout=30)
    stranger.recv(4096)
    wait_for(lambda: "proto=pop3" in server.log_text())
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert stranger.recv(4096).startswith(b"* BYE")
    assert idle.readline().startswith(b"* BYE")
    assert server.process.wait(20) == 0
    assert time.monotonic() - began < 20
    assert "stop: reason=SIGTERM" in server.log_text()
    for sock in (upload.sock, unread, stranger):
        sock.close()
    server.start()
    client = server.imap("alice")
    assert client.fetch_dict("1:*", "RFC822.SIZE").keys() == {1}  # the half message is not there
    client.logout()


@pytest.mark.parametrize("protocol, login, asked, farewell", [
    ("imap", b"a LOGIN alice wrong\r\n", b"", b"* BYE Server is going down\r\n"),
    ("imap", b"a AUTHENTICATE PLAIN\r\n", b"+ \r\n", b"* BYE Server is going down\r\n"),
    ("pop3", b"USER alice\r\nPASS wrong\r\n", b"+OK send PASS\r\n",
     b"-ERR [SYS/TEMP] closing the connection\r\n"),
    ("pop3", b"AUTH PLAIN\r\n", b"+ \r\n", b"-ERR [SYS/TEMP] closing the connection\r\n"),
])
def test_who_waits_to_be_let_in_is_told_of_a_stop(make_server, protocol, login, asked, farewell):
    """Whether the late answer is ours, to a guess, or the client's own to a challenge."""
    server = make_server(["alice"], {("auth", "delay"): "60s..60s", ("tandem", "drain"): "2s"})
    with socket.create_connection((server.address, PORTS[protocol]), timeout=30) as sock:
        client = sock.makefile("rb")
        client.readline()
        sock.sendall(login)
        if asked:
            assert client.readline() == asked
        if b"wrong" in login:
            assert server.logged("auth-failed")  # judged, and held back
        server.process.send_signal(signal.SIGTERM)
        assert client.read() == farewell
    assert server.process.wait(30) == 0


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_password_that_is_still_looked_at_holds_nobody(make_server, protocol):
    """Its verifier takes seconds, and finds nobody to let in."""
    server = make_server([], {("tandem", "loops"): 1, ("tandem", "drain"): "30s"})
    path = os.path.join(server.dir, "slow")
    with open(path, "w", encoding="ascii") as f:
        f.write("alice:{SHA512-CRYPT}$6$rounds=3000000$saltsalt$" + "A" * 86 + "\n")
    done = server.tool("user", "import", path)
    assert done.returncode == 0, done.stderr
    with socket.create_connection((server.address, PORTS[protocol]), timeout=60) as sock, \
            socket.create_connection((server.address, PORTS["imap"]), timeout=60) as other:
        client = sock.makefile("rb")
        client.readline()
        if protocol == "imap":
            sock.sendall(b"a LOGIN alice secret\r\n")
        else:
            sock.sendall(b"USER alice\r\nPASS secret\r\n")
            client.readline()
        for n in range(2):  # the one loop has been round since
            other.sendall(b"a NOOP\r\n")
            while b"a OK" not in other.recv(4096):
                pass
        server.process.send_signal(signal.SIGTERM)
        assert client.read().startswith((b"* BYE", b"-ERR [SYS/TEMP]"))
    assert server.process.wait(60) == 0
