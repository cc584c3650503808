"""One transaction of ten thousand recipients, good ones mixed with bad ones."""
import socket

from conftest import DOMAIN, PORTS

RECIPIENTS = 10_000


def test_ten_thousand_recipients(make_server):
    users = [f"user{n}" for n in range(20)]
    server = make_server(users, {("lmtp", "recipients"): RECIPIENTS})
    wire = socket.create_connection((server.address, PORTS["lmtp"]), timeout=60)
    reader = wire.makefile("rb")

    def codes(count):
        found = []
        while len(found) < count:
            line = reader.readline()
            assert line, "the server closed the connection"
            if line[3:4] == b" ":
                found.append(int(line[:3]))
        return found

    def rcpt(number):
        if number % 10 == 9:
            return f"RCPT TO:<nobody{number}@{DOMAIN}>\r\n"
        return f"RCPT TO:<{users[number % 20]}+{number}@{DOMAIN}>\r\n"

    wire.sendall(b"LHLO client.example.net\r\nMAIL FROM:<a@example.net>\r\n")
    assert codes(3) == [220, 250, 250]
    accepted, number = 0, 0
    while accepted < RECIPIENTS:
        wire.sendall("".join(rcpt(n) for n in range(number, number + 500)).encode())
        for code, n in zip(codes(500), range(number, number + 500)):
            full = accepted == RECIPIENTS
            assert code == (452 if full else 550 if n % 10 == 9 else 250), n
            accepted += code == 250
        number += 500
    wire.sendall(b"DATA\r\n")
    assert codes(1) == [354]
    wire.sendall(b"Subject: to all\r\n\r\nhello\r\n.\r\n")
    assert codes(RECIPIENTS) == [250] * RECIPIENTS
    wire.sendall(b"QUIT\r\n")
    assert codes(1) == [221]
    for user in users:
        imap = server.imap(user)
        assert len(imap.fetch_dict("1:*", "(UID FLAGS)")) == (user[-1] != "9"), "one copy each"
        imap.logout()


def test_the_size_that_is_announced_is_that_of_the_most_generous_account(make_server):
    """RFC 1870 section 4: what none takes is refused at MAIL, what some take at their RCPT."""
    server = make_server(["alice", "bob"], {("store", "message_size"): "100k"})
    assert server.tool("user", "set", "bob", "store.message_size=200k").returncode == 0
    message = b"Subject: large\r\n\r\n" + b"x" * 76 + b"\r\n" + (b"y" * 76 + b"\r\n") * 1900
    with server.lmtp() as lmtp:
        lmtp.ehlo("client.example.net")
        assert lmtp.esmtp_features["size"] == str(200 << 10)
        assert lmtp.docmd(f"MAIL FROM:<a@example.net> SIZE={(200 << 10) + 1}")[0] == 552
        assert lmtp.docmd(f"MAIL FROM:<a@example.net> SIZE={len(message)}")[0] == 250
        assert lmtp.rcpt(f"alice@{DOMAIN}")[0] == 552
        assert lmtp.rcpt(f"bob@{DOMAIN}")[0] == 250
        assert lmtp.data(message)[0] == 250
