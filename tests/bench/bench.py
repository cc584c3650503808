"""What every command of the bench begins with: its options, the two servers, the mail."""
import argparse
import os
import statistics
import sys

import scenarios
from mailset import Files
from measure import cost, fill, medians, memory_of, run_plan
from servers import Dovecot, Floor, Tandem

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def options(text):
    parser = argparse.ArgumentParser(description=text.partition("\n\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"),
                        help="meson's build directory")
    parser.add_argument("--dir", help="where Dovecot, the stores and results are kept; "
                                      "default: BUILD/bench")
    parser.add_argument("--rounds", type=int, default=5, help="how often each server has its turn")
    parser.add_argument("--seconds", type=float, help="of a turn; default: the scenario's")
    parser.add_argument("--tandem-only", action="store_true")
    return parser


def say(text):
    print(f"  ({text})", file=sys.stderr, flush=True)


class Bench:
    def __init__(self, args):
        self.args = args
        self.dir = os.path.abspath(args.dir or os.path.join(args.build, "bench"))
        os.makedirs(self.dir, exist_ok=True)
        self.load = os.path.join(os.path.abspath(args.build), "tests", "bench", "load")
        self.files = Files(os.path.join(self.dir, "mail"))
        self.servers = [Tandem(self.dir, args.build)]
        if not args.tandem_only:
            self.servers.append(Dovecot(self.dir))
        self.floor = [Floor(self.dir, args.build)] if getattr(args, "floor", False) else []

    def turn(self, scenario, server, number):
        for plan in scenario.before(server, self.files, number) if scenario.before else ():
            run_plan(self.load, server, plan)
        seconds = scenario.seconds
        if self.args.seconds and scenario.measure == "cpu":
            seconds = self.args.seconds
        plan = f"seconds {seconds}\n" + scenario.plan(server, self.files, number)
        if scenario.measure == "memory":  # of a server that has not kept any from before
            server.stop()
            server.start()
            return memory_of(self.load, server, plan,
                             scenarios.IDLE_CONNECTIONS[server.name])
        profile = None
        if getattr(self.args, "profile", False) and server.name == "tandem":
            profile = os.path.join(self.dir, scenario.name + ".perf")
        return cost(run_plan(self.load, server, plan, profile),
                    "watchers" if scenario.measure == "latency" else "clients")

    def scenario(self, scenario):
        """{server: figures, "ratio": of the medians of the rounds}"""
        for server in self.servers:
            server.use(scenario.dovecot if server.name == "dovecot" else {})
            self.prepare(server, scenario.sets)
        servers = self.servers + (self.floor if scenario.floor else [])
        for server in servers[len(self.servers):]:
            server.use({})
        if scenario.needs and not all(scenario.needs in s.capabilities() for s in self.servers):
            return None
        rounds = {server.name: [] for server in servers}
        warm = 0 if scenario.measure == "memory" else 1  # the first turn of each is not counted
        for number in range(warm + self.args.rounds):
            for server in servers:
                figures = self.turn(scenario, server, self.next_round())
                if number >= warm:
                    rounds[server.name].append(figures)
        result = {name: medians(rows) for name, rows in rounds.items()}
        if len(self.servers) > 1:
            key = {"cpu": "cpu_us", "latency": "p50_us", "memory": "anonymous"}[scenario.measure]
            result["ratio"] = statistics.median(
                a[key] / b[key] for a, b in zip(rounds["tandem"], rounds["dovecot"]))
        return result

    def next_round(self):
        """A number that no run before used: rounds that need fresh accounts take theirs by it."""
        path = os.path.join(self.dir, "round")
        number = int(open(path, encoding="ascii").read()) if os.path.exists(path) else 0
        with open(path, "w", encoding="ascii") as f:
            f.write(str(number + 1))
        return number % 900

    def close(self):
        for server in self.servers + self.floor:
            server.stop()
            server.group.remove()

    def prepare(self, server, sets):
        fill(self.load, server, scenarios.SETS, sets, self.files, say)
