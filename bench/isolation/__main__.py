"""`python3 -m isolation PALABRE`, in the folder bench: a slow script, a failing script and an
unreachable platform, each with very many events, while other users send messages in other rooms;
then each recovers.

The exit code is 0 unless the daemon died.
"""

import argparse
import json
import sys
import time

from isolation.botapi import CHATS, FIRST_CHAT, TOKEN, BotApi
from isolation.feeder import Feeder
from load import figures
from load.daemon import Daemon
from load.people import ECHOES, Person, echo_scripts, quantile, together
from load.spin import LOOP
from load.spin import SCRIPT as SPIN
from load.spin import turns_of_a_millisecond

PEOPLE = [("vera", "127.0.0.3", "parlour"), ("viktor", "127.0.0.4", "study")]
SLOW_MS = 20

# The feeder may send without limits, since the test is about the effect of the events on other users.
BOTS = """server: { requests_per_minute: 100000 }
bots:
  lobby:
    platform: rooms
    rooms:
      client_queue: 1000000
      limits: { queued_kb: 1000000, received_kb_per_second: 0, messages: { burst: 1, per_minute: 0 } }
"""
TELEGRAM = """  tg:
    platform: telegram
    token: "TOKEN"
    api: ADDRESS
    telegram: { pace: { per_second: 1000000, per_second_in_chat: 1000000, per_minute_in_group: 1000000 } }
"""
FREE = "limits: { actions_per_minute: 100000000, write_mb_per_minute: 100000, log_lines_per_minute: 100000000 }"

ANSWERING = """function on_message(event)
	if event.room.id ~= "lobby/crowded" then
		return
	end
	BODY
	metrics.count("handled")
	event:reply("done " .. event.text:sub(3))
end
"""
COURIER = f"""function on_message(event)
	if event.room.id ~= "lobby/crowded" then
		return
	end
	local number = tonumber(event.text:sub(3))
	rooms.get("tg/" .. ({FIRST_CHAT} + number % {CHATS})):send(event.text)
	metrics.count("handled")
end
"""
ECHO_ON_TELEGRAM = """function on_message(event)
	event:reply("re " .. event.text)
end
"""


class Case:
    """A daemon with the script under test, the users who measure, and one row for each phase."""

    def __init__(self, name, options, bots, scripts, settings):
        self.name = name
        self.options = options
        scripts_yaml = "scripts:\n  spin: { grants: [routes] }\n" + "".join(f"  {one}: {{ bots: [lobby] }}\n" for one in ECHOES) + settings
        self.daemon = Daemon(options.binary, bots + scripts_yaml, {"spin.luau": SPIN, **echo_scripts(), **scripts})
        self.people = [Person(self.daemon, *one) for one in PEOPLE]
        self.watch = figures.Watch(self.daemon)
        self.rows = []
        self.feeder = None

    def phase(self, name, more=""):
        """Adds a row with what other users have measured since the last phase."""
        if not self.daemon.is_running():
            raise SystemExit(f"{self.name}: the daemon died with {self.daemon.process.returncode}\n{self.daemon.log()[-4000:]}")
        seen = together([person.take() for person in self.people])
        trouble = f", {seen['unanswered']} unanswered" if seen["unanswered"] else ""
        trouble += f", {seen['disconnected']} times disconnected" if seen["disconnected"] else ""
        row = (
            f"| {self.name} | {name} | {quantile(seen['acks'], 0.5):.0f} / {quantile(seen['acks'], 0.99):.0f} "
            f"| {quantile(seen['replies'], 0.5):.0f} / {quantile(seen['replies'], 0.99):.0f} | {len(seen['replies'])}{trouble} "
            f"| {self.watch.take():.0f} | {more} |"
        )
        self.rows.append(row)
        print(row, file=sys.stderr, flush=True)

    def feed(self):
        """Starts the feeder, and waits until all of its events are acknowledged."""
        self.feeder = Feeder(self.daemon, "crowded", self.options.events)
        is_fed = lambda: (counts := self.feeder.counted())["acked"] + counts["refused"] >= self.options.events or counts["gone"]
        figures.wait_for(is_fed, self.options.patience)
        counts = self.feeder.counted()
        rate = counts["acked"] / counts["seconds"] if counts["seconds"] else 0
        trouble = f", {counts['refused']} refused, {counts['trouble']}" if counts["trouble"] else ""
        self.phase("events arrive", f"{counts['acked']} acknowledged, {rate:,.0f}/s; {self.backlog()} queued{trouble}")

    def backlog(self):
        return figures.state(self.daemon)["backlog"]

    def metric(self, name):
        return int(sum(value for key, value in figures.metrics(self.daemon).items() if key.split("{")[0] == name))

    def hold(self):
        time.sleep(self.options.hold)
        health = json.loads(self.daemon.get("/health/ready")[1])
        said = "; ".join(health.get("problems", []) + health.get("degraded", [])) or "reports nothing"
        self.phase("events wait", f"{self.backlog()} queued; health: {said}")

    def failures(self):
        found = figures.metrics(self.daemon)
        return int(found.get(f'palabre_script_happened_total{{script="{self.name}",what="failure"}}', 0))

    def recover(self, is_done, describe):
        """Waits until all queued events are handled."""
        took = figures.wait_for(is_done, self.options.patience)
        within = f"in {took:.0f} s" if took is not None else f"NOT WITHIN {self.options.patience:.0f} s"
        self.phase("recovery", f"{describe()} {within}; {self.backlog()} queued")
        time.sleep(5)
        self.phase("afterwards", "same process")

    def close(self):
        self.watch.close()
        for one in [*self.people, self.feeder]:
            if one:
                one.close()
        self.daemon.close(self.options.keep)


def start(case):
    time.sleep(1)
    for person in case.people:
        person.take()
    case.watch.take()
    time.sleep(case.options.baseline)
    case.phase("before")


def script_case(name, broken, options):
    """A script that is slow or fails, until a version that does neither is saved."""
    fast = ANSWERING.replace("BODY", "")
    case = Case(name, options, BOTS, {f"{name}.luau": fast}, f"  {name}: {{ {FREE}, bots: [lobby] }}\n")
    try:
        turns = turns_of_a_millisecond(case.daemon)
        start(case)
        body = broken.replace("TURNS", str(int(SLOW_MS * turns)))
        case.daemon.write(f"scripts/{name}.luau", ANSWERING.replace("BODY", body))
        time.sleep(2)
        case.feed()
        case.hold()
        failed = case.failures()
        case.daemon.write(f"scripts/{name}.luau", fast)

        def done():
            return case.feeder.counted()["heard"] + case.failures() >= options.events

        def describe():
            counts = case.feeder.counted()
            failures = f", {case.failures()} had failed ({failed} before the fix)" if case.failures() else ""
            trouble = f", the listener: {counts['trouble']}" if counts["trouble"] else ""
            handled = case.metric("palabre_of_script_handled_total")
            return f"{handled} handled, {counts['heard']} answers heard, {counts['twice']} twice{failures}{trouble}"

        case.recover(done, describe)
    finally:
        case.close()
    return case.rows


def platform_case(options):
    """A platform that refuses connections while very many messages are sent to it, and then accepts
    everything."""
    api = BotApi()
    bots = BOTS + TELEGRAM.replace("TOKEN", TOKEN).replace("ADDRESS", api.address)
    settings = f"  courier: {{ grants: [rooms], bots: [lobby], {FREE} }}\n  tg_echo: {{ bots: [tg], {FREE} }}\n"
    scripts = {"courier.luau": COURIER, "tg_echo.luau": ECHO_ON_TELEGRAM}
    case = Case("platform", options, bots, scripts, settings)
    try:
        figures.wait_for(lambda: api.counted()["calls"].get("getUpdates", 0) >= 2, 30)
        start(case)
        api.refuse()
        case.feed()
        figures.wait_for(lambda: case.metric("palabre_of_script_handled_total") + courier_failures(case) >= options.events, options.patience)
        case.hold()
        api.accept()

        def describe():
            counts, failed = api.counted(), courier_failures(case)
            failures = f", {failed} runs failed" if failed else ""
            return f"{counts['kinds'].get('e', 0)} delivered, {counts['twice']} twice{failures},"

        case.recover(lambda: api.counted()["kinds"].get("e", 0) + courier_failures(case) >= options.events, describe)
        api.feed(options.updates)
        took = figures.wait_for(lambda: api.counted()["kinds"].get("re", 0) >= options.updates, options.patience)
        within = f"in {took:.0f} s" if took is not None else f"NOT WITHIN {options.patience:.0f} s"
        case.phase("updates arrive", f"{api.counted()['kinds'].get('re', 0)} of {options.updates} updates answered {within}")
    finally:
        case.close()
        api.close()
    return case.rows


def courier_failures(case):
    return int(figures.metrics(case.daemon).get('palabre_script_happened_total{script="courier",what="failure"}', 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="a release build of palabre")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--updates", type=int, default=20_000, help="number of updates that the platform sends once it is back")
    parser.add_argument("--hold", type=float, default=30, help="seconds before the recovery")
    parser.add_argument("--baseline", type=float, default=10)
    parser.add_argument("--patience", type=float, default=1800)
    parser.add_argument("--only", type=lambda text: text.split(","), default=["slow", "failing", "platform"])
    parser.add_argument("--keep", action="store_true", help="do not delete the daemon's folders")
    options = parser.parse_args()
    cases = {
        "slow": lambda: script_case("slow", LOOP, options),
        "failing": lambda: script_case("failing", 'error("broken")', options),
        "platform": lambda: platform_case(options),
    }
    rows = [row for name in options.only for row in cases[name]()]
    print("| case | phase | ack p50 / p99 ms | reply p50 / p99 ms | replies | max RSS MB | |\n|---|---|---|---|---|---|---|")
    print("\n".join(rows))


main()
