"""What APPEND and delivery note beside the octets, and how much of uploads is in memory at once."""
import re
import time

from conftest import PORTS
from imap_wire import Wire, literal


def test_internaldate_has_the_zone_of_the_server(make_server, monkeypatch):
    """RFC 3501 section 6.3.11: without a date-time it is the current one, as the server's clock
    on the wall has it; one that is given stays, zone and all."""
    monkeypatch.setenv("TZ", "XYZ-5:30")
    server = make_server(["alice"])
    server.deliver(b"Subject: x\r\n\r\nx\r\n", "alice")
    wire = Wire(server.address, PORTS["imap"])
    wire.response()
    wire.ok(b"LOGIN alice secret")
    wire.ok(b"APPEND INBOX " + literal(b"Subject: y\r\n\r\ny\r\n"))
    given = b'"17-Jul-1996 02:44:25 -0700"'
    wire.ok(b"APPEND INBOX " + given + b" " + literal(b"Subject: z\r\n\r\nz\r\n"))
    wire.ok(b"SELECT INBOX")
    dates = [re.search(rb'INTERNALDATE (".*")', r).group(1)
             for r in wire.ok(b"FETCH 1:* INTERNALDATE")]
    assert [date[-6:-1] for date in dates] == [b"+0530", b"+0530", b"-0700"], dates
    assert dates[2] == given
    wire.close()


def is_read(wire, seconds):
    """Has the server taken all octets out of its socket? Or within that time."""
    until = time.monotonic() + seconds
    port = f":{wire.sock.getsockname()[1]:04X}"
    while time.monotonic() < until:
        with open("/proc/net/tcp", encoding="ascii") as f:
            rows = [line.split() for line in f if line.split()[2].endswith(port)]
        if rows and all(row[4].endswith(":00000000") for row in rows):
            return True
        time.sleep(0.01)
    return False


def test_an_upload_waits_for_memory(make_server):
    """From 80 % of [limits] memory on an upload that begins is not read; the others go on."""
    limits = {"memory": "32M", "per_user": 1000, "per_user_address": 1000}
    server = make_server(["alice"], {("limits", key): value for key, value in limits.items()})
    octets = b"Subject: x\r\n\r\n" + b"x" * 400_000 + b"\r\n"
    begun = []
    while not begun or is_read(begun[-1], 3):
        assert len(begun) < 200, "no upload waits"
        wire = Wire(server.address, PORTS["imap"])
        wire.response()
        wire.ok(b"LOGIN alice secret")
        wire.send(b"a APPEND INBOX {%d}\r\n" % len(octets))
        assert wire.response().startswith(b"+ ")
        wire.send(octets[:-100])
        begun.append(wire)
    assert len(begun) > 10, "memory is not tight yet"
    for wire in begun:  # when the first have gone there is room for the last
        wire.send(octets[-100:] + b"\r\n")
        assert wire.response().startswith(b"a OK [APPENDUID ")
        wire.close()
