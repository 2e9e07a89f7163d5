"""`python3 -m fanout PALABRE`, in the folder bench: users at ten source addresses join one room and
send messages, on a relay on Node and on Palabre in turn, each started anew."""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time

from load.crowd import Crowd
from load.daemon import Daemon
from load.people import quantile

BOTS = "bots:\n  lobby:\n    platform: rooms\nscripts:\n  help:\n    enabled: false\n"
RELAY = os.path.join(os.path.dirname(__file__), "relay.cjs")
SOURCES = [f"127.0.0.{number}" for number in range(1, 11)]
JOIN_TIMEOUT = 120


class Relay:
    def __init__(self, _options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        self.process = subprocess.Popen(["node", RELAY, str(self.address[1])], stdout=subprocess.PIPE)
        if b"listening" not in self.process.stdout.readline():
            sys.exit(f"could not start the relay; run `npm ci` in {os.path.dirname(RELAY)}")

    def close(self):
        self.process.kill()
        self.process.wait()


def palabre(options):
    return Daemon(options.binary, BOTS, {})


def talk(crowd, seconds, window):
    """Keeps `window` messages in flight.

    Returns deliveries per second, their latencies, and the client's CPU usage.
    """
    people = crowd.joined - crowd.lost
    crowd.times.clear()
    crowd.latencies.clear()
    delivered, sent = crowd.delivered, crowd.sent
    began, used = time.monotonic(), time.process_time()
    while (took := time.monotonic() - began) < seconds:
        while (crowd.sent - sent) * people - (crowd.delivered - delivered) < window * people:
            crowd.send()
        crowd.poll(0.01)
    deliveries = (crowd.delivered - delivered) / took
    client = (time.process_time() - used) / took
    crowd.drain(2)
    return {
        "deliveries": deliveries,
        "client cpu": client * 100,
        "p50": quantile(crowd.latencies, 0.5),
        "p99": quantile(crowd.latencies, 0.99),
        "missing": (crowd.sent - sent) * people - (crowd.delivered - delivered),
    }


def run(server, options, window, seconds):
    """Measures one server once."""
    started = server(options)
    try:
        crowd = Crowd(started.address, SOURCES, options.people, "general")
        took = crowd.enter(JOIN_TIMEOUT)
        crowd.drain(1)
        result = {"joined": crowd.joined, "joined in": took, "joins": crowd.joined / took}
        result.update(talk(crowd, seconds, window))
        low = talk(crowd, options.low_seconds, 1)
        result.update({"low p50": low["p50"], "low p99": low["p99"]})
        result["missing"] += low["missing"]
        result["lost"] = crowd.lost
        crowd.close()
        return result
    finally:
        started.close()


def best_window(name, server, options):
    best = max(options.windows, key=lambda window: run(server, options, window, options.probe_seconds)["deliveries"])
    print(f"{name}: the best window is {best}", file=sys.stderr, flush=True)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="a release build of palabre")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--low-seconds", type=float, default=3, help="duration with one message in flight")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--windows", type=lambda text: [int(one) for one in text.split(",")], default=[4, 16, 64])
    parser.add_argument("--probe-seconds", type=float, default=3, help="duration of each trial for the best window")
    options = parser.parse_args()
    servers = {"relay": Relay, "palabre": palabre}
    windows = {
        name: best_window(name, server, options) if len(options.windows) > 1 else options.windows[0]
        for name, server in servers.items()
    }
    results = {name: [] for name in servers}
    for pair in range(options.pairs):
        for name, server in servers.items():
            result = run(server, options, windows[name], options.seconds)
            results[name].append(result)
            said = ", ".join(f"{key} {value:,.1f}" for key, value in result.items())
            print(f"pair {pair + 1}, {name}: {said}", file=sys.stderr, flush=True)
    print(f"{options.people} users at {len(SOURCES)} addresses, {options.pairs} pairs, medians\n")
    print("| server | window | joined | joined in | joins/s | deliveries/s | p50 | p99 | one at a time: p50 | p99 | missing | lost | the client's CPU |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name, runs in results.items():
        mid = {key: statistics.median(one[key] for one in runs) for key in runs[0]}
        print(
            f"| {name} | {windows[name]} | {min(one['joined'] for one in runs)} | {mid['joined in']:.1f} s | {mid['joins']:,.0f} "
            f"| {mid['deliveries']:,.0f} | {mid['p50']:.0f} ms | {mid['p99']:.0f} ms | {mid['low p50']:.1f} ms | {mid['low p99']:.1f} ms "
            f"| {sum(one['missing'] for one in runs)} | {sum(one['lost'] for one in runs)} | {mid['client cpu']:.0f} % |"
        )
    ratio = statistics.median(ours["deliveries"] / theirs["deliveries"] for ours, theirs in zip(results["palabre"], results["relay"]))
    print(f"\nPalabre delivers {ratio:.1f} times as many, the median of the pairs.")


main()
