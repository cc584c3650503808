"""Run a plan against a server and say what it cost the server."""
import json
import os
import signal
import statistics
import subprocess
import time

REST = 0.15  # seconds in which a server ends what it does behind its last answer


class LoadFailed(Exception):
    pass


class Run:
    """The load generator with a plan: set up, measured, closed."""

    def __init__(self, load, server, plan):
        self.server = server
        path = os.path.join(server.dir, "plan")
        with open(path, "w", encoding="utf-8") as f:
            f.write(plan)
        self.process = subprocess.Popen([load, path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            self.process.wait()
            raise LoadFailed(f"the load on {server.name} failed; its plan is {path}")

    def measure(self):
        time.sleep(REST)
        began = self.server.group.cpu_us()
        self._line()
        answer = self.process.stdout.readline()
        if not answer:
            raise LoadFailed(f"the load on {self.server.name} failed: {self.server.dir}/plan")
        time.sleep(REST)
        result = json.loads(answer)
        result["cpu_us"] = self.server.group.cpu_us() - began
        return result

    def _line(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def run_plan(load, server, plan, profile=None):
    """`profile`: a file for what perf sees meanwhile."""
    run = Run(load, server, plan)
    perf = profile and subprocess.Popen(["perf", "record", "-q", "-g", "-p",
                                         str(server.process.pid), "-o", profile])
    try:
        return run.measure()
    finally:
        run.close()
        if perf:
            perf.send_signal(signal.SIGINT)
            perf.wait()


def fill(load, server, sets, wanted, files, say):
    there = server.filled()
    for name in wanted:
        if name in there:
            continue
        say(f"{server.name}: putting in the set of mail '{name}'")
        for plan in sets[name](server, files):
            run_plan(load, server, plan)
        server.note_filled(name)


def cost(result, name="clients"):
    """Figures of one run, per operation."""
    group = result["groups"][name]
    n = max(1, group["operations"])
    return {"cpu_us": result["cpu_us"] / n, "per_second": group["operations"] / result["seconds"],
            "p50_us": group["p50_us"], "p99_us": group["p99_us"],
            "client_cpu_us": result["client_cpu_us"] / n}


def memory_of(load, server, plan, connections):
    """Octets (anonymous, proportional) of one connection that is at rest."""
    before = server.group.memory()
    run = Run(load, server, plan)
    time.sleep(3 * REST)
    after = server.group.memory()
    run.close()
    return {"anonymous": (after[0] - before[0]) / connections,
            "pss": (after[1] - before[1]) / connections}


def medians(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}
