#!/usr/bin/python3
"""How long others wait for their login while somebody guesses passwords.

    tests/bench/guesses.py [--build BUILD] [--rate 200] [--seconds 20] [--addresses 40]

Half of the time nobody guesses, half of the time RATE wrong passwords a second come from ADDRESSES
addresses (127.1.0.x), each over connections of its own. Meanwhile one client after the other logs
in from another address, each with an account of its own, so that nothing is remembered. Prints the
median, mean and 90th percentile of both halves, and how many guesses were answered how.
"""
import argparse
import collections
import os
import selectors
import socket
import statistics
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "clients"))
import conftest  # noqa: E402


def line(sock):
    text = b""
    while not text.endswith(b"\n"):
        more = sock.recv(4096)
        if not more:
            raise ConnectionError
        text += more
    return text


def login(server, user, password=conftest.PASSWORD):
    """Seconds from LOGIN to its answer."""
    with socket.create_connection((server.address, conftest.PORTS["imap"]), timeout=60,
                                  source_address=("127.2.0.1", 0)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line(sock)
        began = time.monotonic()
        sock.sendall(f"a LOGIN {user} {password}\r\n".encode())
        answer = line(sock)
        took = time.monotonic() - began
        assert answer.startswith(b"a OK"), answer
        return took


class Guesser(threading.Thread):
    """Sends guesses at the rate, and never waits for an answer."""

    def __init__(self, server, rate, addresses):
        super().__init__(daemon=True)
        self.server, self.rate, self.addresses = server, rate, addresses
        self.sent, self.answers, self.over = 0, collections.Counter(), False
        self.free = collections.defaultdict(list)
        self.selector = selectors.DefaultSelector()

    def guess(self):
        source = f"127.1.0.{1 + self.sent % self.addresses}"
        if self.free[source]:
            sock = self.free[source].pop()
        else:
            sock = socket.create_connection((self.server.address, conftest.PORTS["imap"]), timeout=60,
                                            source_address=(source, 0))
            line(sock)
            self.selector.register(sock, selectors.EVENT_READ, source)
        self.sent += 1
        sock.sendall(f"a LOGIN u{self.sent % 50} guess{self.sent}\r\n".encode())

    def hear(self, timeout):
        for key, _ in self.selector.select(timeout):
            try:
                self.answers[line(key.fileobj).split(b"]")[0].decode()] += 1
                self.free[key.data].append(key.fileobj)
            except OSError:
                self.selector.unregister(key.fileobj)
                key.fileobj.close()

    def run(self):
        began = time.monotonic()
        while not self.over:
            due = began + self.sent / self.rate - time.monotonic()
            if due <= 0:
                try:
                    self.guess()
                except OSError as e:
                    self.answers[type(e).__name__] += 1
                    self.sent += 1
            self.hear(max(due, 0))


def measure(server, users, seconds):
    times = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        times.append(login(server, next(users)) * 1000)
        time.sleep(0.05)
    return times


def show(name, times):
    print(f"{name:8} {len(times):4} logins  median {statistics.median(times):6.1f} ms  mean "
          f"{statistics.mean(times):6.1f} ms  p90 {sorted(times)[len(times) * 9 // 10]:6.1f} ms")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--addresses", type=int, default=40)
    args = parser.parse_args()
    server = conftest.Server(args.build, [], {("auth", "cache"): "0", ("auth", "failures"): 100})
    path = os.path.join(server.dir, "users")
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join(f"u{n}:{conftest.PASSWORD}\n" for n in range(100)))
    assert server.tool("user", "import", path).returncode == 0  # yescrypt
    server.start()
    try:
        users = iter(f"u{50 + n % 50}" for n in range(1 << 20))
        measure(server, users, 2)
        quiet = measure(server, users, args.seconds)
        guesser = Guesser(server, args.rate, args.addresses)
        guesser.start()
        measure(server, users, 3)  # its first guesses are nobody's yet
        stormy = measure(server, users, args.seconds)
        guesser.over = True
        guesser.join()
        show("quiet", quiet)
        show("guesses", stormy)
        print(f"median {statistics.median(stormy) / statistics.median(quiet) * 100 - 100:+.0f} %, "
              f"{guesser.sent} guesses: {dict(guesser.answers)}")
    finally:
        server.stop()
        server.remove()


if __name__ == "__main__":
    main()
