"""What APPEND and delivery note beside the octets."""
import re

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
