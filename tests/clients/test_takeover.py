"""The maildrop of a POP3 session whose client has died: a new login from the same address gets it."""
import glob
import poplib
import socket
import time

import pytest
from conftest import DOMAIN, PASSWORD, PORTS

FASTER = 10  # the daemon's clocks: a minute is six seconds
BIG = 8 << 20


class Pop3(poplib.POP3):
    """From an address of its own."""

    def __init__(self, server, source):
        self.source = source
        super().__init__(server.address, PORTS["pop3"], timeout=60)

    def _create_socket(self, timeout):
        return socket.create_connection((self.host, self.port), timeout,
                                        source_address=(self.source, 0))

    def enter(self):
        """The answer to PASS, or why not."""
        self.user("alice")
        try:
            return self.pass_(PASSWORD)
        except poplib.error_proto as error:
            return error.args[0]


def stuck_in_retr(server):
    """It has marked message 2 deleted, wants message 1 and takes almost nothing of it."""
    wire = socket.socket()
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.bind(("127.0.0.1", 0))
    wire.connect((server.address, PORTS["pop3"]))
    wire.settimeout(60)
    reader = wire.makefile("rb")
    for line in (None, "USER alice", "PASS " + PASSWORD, "DELE 2", "RETR 1"):
        if line:
            wire.sendall(line.encode() + b"\r\n")
        assert reader.readline().startswith(b"+OK")
    return wire, reader


@pytest.fixture
def server(make_server):
    [preload] = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    server = make_server(["alice"], {("daemon", "sandbox"): "no", ("auth", "delay"): "0s..0s",
                                     ("limits", "login"): "1h", ("limits", "write_stall"): "1h",
                                     ("limits", "upload_stall"): "1h", ("lmtp", "idle"): "1h",
                                     ("pop3", "idle"): "1h"},
                         under=["env", f"LD_PRELOAD={preload}", f"FAKETIME=+0 x{FASTER}"])
    line = b"x" * 70 + b"\r\n"
    server.deliver(b"Subject: big\r\n\r\n" + line * (BIG // len(line)), "alice")
    server.deliver(b"Subject: small\r\n\r\nsmall\r\n", "alice")
    return server


def test_a_dead_session_is_taken_over_from_its_own_address_only(server):
    wire, reader = stuck_in_retr(server)
    wire.sendall(b"QUIT\r\n")
    began = time.monotonic()
    assert Pop3(server, "127.0.0.1").enter().startswith(b"-ERR [IN-USE]"), "it may be alive"
    while True:
        assert Pop3(server, "127.0.0.2").enter().startswith(b"-ERR [IN-USE]"), "another address"
        newcomer = Pop3(server, "127.0.0.1")
        answer = newcomer.enter()
        if answer.startswith(b"+OK"):
            break
        assert answer.startswith(b"-ERR [IN-USE]")
        assert time.monotonic() - began < 120, server.log_text()
        time.sleep(0.2)
    assert (time.monotonic() - began) * FASTER > 60, "it was given a minute"

    assert newcomer.stat()[0] == 2
    assert newcomer.retr(2)[1][-1] == b"small"
    assert Pop3(server, "127.0.0.1").enter().startswith(b"-ERR [IN-USE]"), "it has the lock now"

    # The dead one wakes up. It may have the rest of its message, but it is nobody any more.
    said = reader.read()
    assert b"+OK bye" not in said
    wire.close()
    assert newcomer.list()[1][1].startswith(b"2 ")
    newcomer.dele(1)
    newcomer.quit()
    after = Pop3(server, "127.0.0.2")
    assert after.enter().startswith(b"+OK") and after.stat()[0] == 1
    assert b"Subject: small" in after.retr(1)[1]
    after.quit()
    assert server.logged(f"user=alice@{DOMAIN}")
