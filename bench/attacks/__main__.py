"""`python3 -m attacks PALABRE`, in the folder bench: attacks by hostile scripts (1.1 to 1.9) and by
one anonymous client (10.1 to 10.11), one after the other and then together, while other users send
messages.

The exit code is 0 unless the daemon died.
"""

import argparse
import http.client
import json
import sys
import time

from attacks import clients, pages, scripts
from attacks.attacker import Attacker, Speaker
from load import figures
from load.daemon import Daemon
from load.people import Person, echo_scripts, quantile, together
from load.socketio import Client
from load.spin import SCRIPT as SPIN
from load.spin import turns_of_a_millisecond

PAGES = """route("GET", "/status", { auth = "public" }, function()
	return { json = { ok = true } }
end)
route("POST", "/note", { auth = "public", body = { text = { type = "string" } } }, function(request)
	return { json = { length = #request.body.text } }
end)
"""
# The users who measure, in rooms other than the attacker's.
PEOPLE = [("vera", "127.0.0.3", "parlour"), ("viktor", "127.0.0.4", "study")]
BYSTANDER = ("bystander", "127.0.0.7", clients.HOSTILE_ROOM)
NEWCOMER = "127.0.0.6"
OPERATOR = "127.0.0.9"
ARCHIVED = 1000
BASELINE_SECONDS = 10
TOGETHER = "all"


def configuration(hostile):
    bots = f"bots:\n  lobby:\n    platform: rooms\n    rooms:\n      retention: {{ keep: [{clients.ARCHIVE}] }}\nscripts:\n"
    granted = {"pages": ["routes"], "spin": ["routes"], **{one.name: one.grants for one in hostile if one.grants}}
    return bots + "".join(f"  {name}:\n    grants: {json.dumps(grants)}\n" for name, grants in granted.items())


def fill_archive(daemon):
    """Fills a room with long messages, for attack 10.3."""
    client = Client(daemon.address, OPERATOR, keep_events=False, timeout=60)
    client.join("archivist", clients.ARCHIVE)
    for number in range(ARCHIVED):
        client.call("send_message", {"message": f"{number} ".ljust(5000, "x"), "nonce": str(number)})
    client.close()


def newcomer(daemon):
    """Connects, opens a room, uploads a file and uses a route as another user.

    Returns None, or what failed.
    """
    step = "connects"
    try:
        client = Client(daemon.address, NEWCOMER)
        step = "enters a new room"
        client.join("newcomer", f"room of a newcomer {time.monotonic():.0f}")
        step = "sends a file"
        place = client.call("upload", {"name": "a.txt"})
        if "url" not in place:
            return f"{step}: {place}"
        web = http.client.HTTPConnection(*daemon.address, timeout=10, source_address=(NEWCOMER, 0))
        for step, method, path, body in [
            (step, "PUT", place["url"], b"x" * 100_000),
            ("uses a route", "GET", "/scripts/pages/status", None),
            ("asks for health", "GET", "/health/ready", None),
        ]:
            web.request(method, path, body)
            answer = web.getresponse()
            said = answer.read()
            if answer.status != 200:
                return f"{step}: {answer.status} {said[:200]!r}"
        client.close()
        return None
    except (OSError, http.client.HTTPException) as problem:
        return f"{step}: {problem or type(problem).__name__}"


class TestRun:
    """The daemon, the users who measure, and the rows of the report."""

    def __init__(self, options):
        self.options = options
        port = pages.serve(scripts.PAGES)
        self.hostile = scripts.attacks(port, 0)
        files = {"pages.luau": PAGES, "spin.luau": SPIN, **echo_scripts()}
        for one in self.hostile:
            files.update({path.removeprefix("scripts/"): text for path, text in one.quiet_files().items()})
        self.daemon = Daemon(options.binary, configuration(self.hostile), files, options.open_files)
        self.hostile = scripts.attacks(port, turns_of_a_millisecond(self.daemon))
        fill_archive(self.daemon)
        self.people = [Person(self.daemon, *one) for one in PEOPLE]
        self.bystander = Person(self.daemon, *BYSTANDER, asks=False)
        self.watch = figures.Watch(self.daemon)
        self.rows = []

    def close(self):
        self.watch.close()
        for person in [*self.people, self.bystander]:
            person.close()
        self.daemon.close(self.options.keep)

    def baseline(self):
        time.sleep(2)
        self.take()
        time.sleep(BASELINE_SECONDS)
        self.row("none", "nothing", self.take(), {}, "")

    def take(self):
        seen = together([person.take() for person in self.people])
        seen["bystander"] = self.bystander.take()["disconnected"]
        seen["memory"] = self.watch.take()
        return seen

    def attack(self, number, what, hostile, rounds):
        """Runs an attack, waits for the daemon to recover, and compares its state with that before."""
        daemon, seconds = self.daemon, self.options.seconds
        before, counted, disk = figures.state(daemon), figures.counted(daemon), daemon.disk_mb()
        self.take()
        for one in hostile:
            for path, text in one.paths(one.files).items():
                daemon.write(path, text)
        attackers = [Attacker(daemon.address, attack, seconds) for attack in rounds]
        attackers += [Attacker(daemon.address, Speaker(one), seconds) for one in hostile if one.says]
        until = time.monotonic() + seconds
        time.sleep(seconds / 2)
        turned_away = newcomer(daemon) if daemon.is_running() else "the daemon is dead"
        time.sleep(max(0, until - time.monotonic()))
        notes = {}
        for attacker in attackers:
            for key, count in attacker.finish().items():
                notes[key] = notes.get(key, 0) + count
        seen = self.take()
        if not daemon.is_running():
            raise SystemExit(f"{number}: the daemon died with {daemon.process.returncode}\n{daemon.log()[-4000:]}")
        grown = daemon.disk_mb() - disk
        refused = figures.difference(counted, figures.counted(daemon))
        for one in hostile:
            for path, text in one.quiet_files().items():
                daemon.write(path, text)
        time.sleep(self.options.settle)
        after = figures.state(daemon)
        changes = [f"{key} {before[key]} → {after[key]}" for key in before if is_more(key, before[key], after[key])]
        changes += [f"{name} is not up" for name in figures.suspended(daemon)]
        if turned_away:
            changes.append(f"a newcomer could not: {turned_away}")
        after_mb = figures.status_mb(daemon.pid, "VmRSS")
        end = f"{after_mb:.0f} MB, disk {grown:+.0f} MB; " + ("; ".join(changes) or "as before")
        self.row(number, what, seen, {"refused": refused, "notes": notes}, end)
        self.take()

    def row(self, number, what, seen, more, end):
        refused = ", ".join(more.get("refused", [])) or "–"
        notes = ", ".join(f"{key} {count}" for key, count in more.get("notes", {}).items()) or "–"
        trouble = [f"{seen[key]} {key}" for key in ["unanswered", "disconnected"] if seen[key]]
        trouble += [f"bystander disconnected {seen['bystander']}"] if seen["bystander"] else []
        cells = [
            number, what, f"{seen['memory']:.0f}", f"{quantile(seen['acks'], 0.99):.0f}", f"{quantile(seen['replies'], 0.5):.0f}",
            f"{quantile(seen['replies'], 0.99):.0f}", f"{len(seen['replies'])}{' (' + ', '.join(trouble) + ')' if trouble else ''}",
            refused, notes, end,
        ]
        self.rows.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
        print(self.rows[-1], file=sys.stderr, flush=True)

    def report(self):
        print("| attack | what | max RSS MB | ack p99 ms | reply p50 ms | reply p99 ms | replies | refused, limited | what the attacker noted | afterwards |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        print("\n".join(self.rows))
        print(f"\nprocess {self.daemon.pid} was {'not restarted' if self.daemon.is_running() else 'ENDED'}")


def is_more(key, before, after):
    """Returns whether something is left of the attack.

    There may be a few more files and threads, since pools grow once.
    """
    # The newcomer has opened one more room.
    leeway = {"open files": 8, "threads": 8, "http": 2, "rooms": 1}.get(key, 0)
    return after > before + leeway or (key in ("connections", "people") and after < before)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="a release build of palabre")
    parser.add_argument("--seconds", type=float, default=60, help="duration of each attack")
    parser.add_argument("--settle", type=float, default=60, help="seconds of rest before the comparison")
    parser.add_argument("--only", type=lambda text: text.split(","), help="numbers of attacks, and `all` for all together: 1.2,10.7,all")
    parser.add_argument("--open-files", type=int, help="the daemon's `ulimit -n`")
    parser.add_argument("--keep", action="store_true", help="print the daemon's folder, and do not delete it")
    options = parser.parse_args()
    test_run = TestRun(options)
    if options.keep:
        print(test_run.daemon.folder, file=sys.stderr)
    is_wanted = lambda number: options.only is None or number in options.only
    try:
        test_run.baseline()
        for one in test_run.hostile:
            if is_wanted(one.number):
                test_run.attack(one.number, one.what, [one], [])
        for number, (what, rounds) in clients.ATTACKS.items():
            if is_wanted(number):
                test_run.attack(number, what, [], rounds)
        if is_wanted(TOGETHER):
            rounds = [one for _, rounds in clients.ATTACKS.values() for one in rounds]
            test_run.attack(TOGETHER, "all together", test_run.hostile, rounds)
    finally:
        test_run.report()
        test_run.close()


main()
