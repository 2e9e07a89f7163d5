"""`python3 -m replies PALABRE [OTHER]`, in the folder bench: one user asks in a room, and asks again as
soon as the answer is there.

For each build: the fsync calls for each answer, as strace counts them, and the time from the message to
the answer, without strace. With two builds, they take turns.
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from load.daemon import Daemon
from load.people import quantile
from load.socketio import Client

# Without limits on messages, which would be measured otherwise.
BOTS = """bots:
  lobby:
    platform: rooms
    rooms: { limits: { messages: { burst: 1, per_minute: 0 } } }
scripts:
  echo:
    limits: { actions_per_minute: 100000000, write_mb_per_minute: 100000 }
"""
ECHO = 'function on_message(event) event:reply("heard " .. event.text) end\n'
SOURCE = "127.0.0.5"
WARM_UP = 50


def ask(client, count):
    """Asks `count` times. Returns the seconds until each answer."""
    waits = []
    for number in range(count):
        text = f"{time.monotonic_ns()}"
        began = time.monotonic()
        client.emit("send_message", {"message": text, "nonce": f"{text}-{number}"})
        wanted = f"heard {text}"
        while not any(event == "new_message" and data.get("message") == wanted for event, data in taken(client)):
            client.read(10)
            if time.monotonic() - began > 30:
                raise SystemExit(f"no answer to {text} within 30 s")
        waits.append(time.monotonic() - began)
    return waits


def taken(client):
    events = list(client.events)
    client.events.clear()
    return events


class Run:
    """A daemon with an echo script, and one user."""

    def __init__(self, binary):
        self.daemon = Daemon(binary, BOTS, {"echo.luau": ECHO})
        self.client = Client(self.daemon.address, SOURCE, timeout=60)
        self.client.join("asker", "parlour")
        ask(self.client, WARM_UP)

    def close(self):
        self.client.close()
        self.daemon.close(False)


def syncs(run, count):
    """Returns the fsync and fdatasync calls of the daemon while it answers `count` times, or None without strace."""
    if not shutil.which("strace"):
        return None
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as table:
        command = ["strace", "-f", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync", "-o", table.name, "-p", str(run.daemon.pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(1)
        ask(run.client, count)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        calls = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*\b(?:fsync|fdatasync)$", table.read(), re.M)
    return sum(map(int, calls))


def disk_sync_ms(folder):
    """Returns the median time of writing 4 KiB in place and fdatasync, in milliseconds."""
    path = os.path.join(folder, "sync")
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    os.write(file, bytes(4096))
    times = []
    for _ in range(200):
        began = time.monotonic()
        os.pwrite(file, bytes(4096), 0)
        os.fdatasync(file)
        times.append((time.monotonic() - began) * 1000)
    os.close(file)
    os.unlink(path)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binaries", nargs="+", metavar="PALABRE", help="release builds of palabre, one or two")
    parser.add_argument("--count", type=int, default=1000, help="answers in each round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each build")
    options = parser.parse_args()
    print("| build | round | p50 ms | p99 ms | sync of the disk ms |\n|---|---|---|---|---|")
    medians = [[] for _ in options.binaries]
    for number in range(options.rounds):
        for build, binary in enumerate(options.binaries):
            run = Run(binary)
            sync = disk_sync_ms(run.daemon.folder)
            waits = ask(run.client, options.count)
            run.close()
            p50, p99 = quantile(waits, 0.5), quantile(waits, 0.99)
            medians[build].append(p50)
            print(f"| {build + 1} | {number + 1} | {p50:.2f} | {p99:.2f} | {sync:.2f} |", flush=True)
    for build, binary in enumerate(options.binaries):
        run = Run(binary)
        calls = syncs(run, options.count)
        run.close()
        counted = "not counted: strace is missing" if calls is None else f"{calls} fsync calls for {options.count} answers"
        print(f"\n{build + 1}: {binary}: median of p50 {statistics.median(medians[build]):.2f} ms; {counted}")


main()
