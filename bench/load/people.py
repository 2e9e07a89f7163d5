"""Users who send messages to an echo script in rooms of their own and measure latencies.

Each has a process, so that no load on the daemon delays their clocks.
"""

import multiprocessing
import select
import time

from load.socketio import Client

# Several, so that there is one on every worker of the daemon.
ECHOES = ["echo_a", "echo_b", "echo_c", "echo_d"]
ECHO = """function on_message(event)
	local asked = event.text:match("^ask (.+)$")
	if asked then
		event:reply("{name} " .. asked)
	end
end
"""
ASK_INTERVAL = 0.2
ANSWER_TIMEOUT = 30


def echo_scripts():
    return {f"{name}.luau": ECHO.replace("{name}", name) for name in ECHOES}


class Person:
    """A user at the address `source` who asks every 200 ms, or only listens if `asks` is false."""

    def __init__(self, daemon, name, source, room, asks=True):
        self.pipe, theirs = multiprocessing.Pipe()
        arguments = (daemon.address, name, source, room, asks, theirs)
        self.process = multiprocessing.Process(target=_live, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def take(self):
        """Returns the measurements since the last call: `acks` and `replies` in seconds,
        `unanswered`, `disconnected`, `errors`."""
        self.pipe.send("take")
        return self.pipe.recv()

    def close(self):
        self.process.terminate()
        self.process.join()


def _fresh():
    return {"acks": [], "replies": [], "unanswered": 0, "disconnected": 0, "errors": []}


class _Talk:
    def __init__(self, asks):
        self.asks = asks
        self.client = None
        self.number = 0
        self.acks = {}
        self.replies = {}
        self.seen = _fresh()

    def hear(self, name, data):
        if name == "new_message" and self.asks:
            script, _, number = data["message"].partition(" ")
            asked = self.replies.pop((script, number), None)
            if asked is not None:
                self.seen["replies"].append(time.monotonic() - asked)

    def ask(self):
        self.number += 1
        now = time.monotonic()
        self.acks[self.client.ask("send_message", {"message": f"ask {self.number}", "nonce": str(self.number)})] = now
        for script in ECHOES:
            self.replies[script, str(self.number)] = now

    def collect_acks(self):
        for number in [number for number in self.acks if number in self.client.acks]:
            answer = self.client.acks.pop(number)
            self.seen["acks"].append(time.monotonic() - self.acks.pop(number))
            if "error" in answer:
                self.refuse(answer["error"])

    def refuse(self, reason):
        if len(self.seen["errors"]) < 5:
            self.seen["errors"].append(reason)

    def expire(self, timeout):
        """Counts everything that has waited for `timeout` seconds as unanswered, and with its
        waiting time."""
        now = time.monotonic()
        for waiting, times in [(self.acks, "acks"), (self.replies, "replies")]:
            for key in [key for key, asked in waiting.items() if now - asked > timeout]:
                self.seen[times].append(now - waiting.pop(key))
                self.seen["unanswered"] += 1


def _live(address, name, source, room, asks, pipe):
    talk = _Talk(asks)
    due = time.monotonic()
    while True:
        try:
            if talk.client is None:
                talk.client = Client(address, source, timeout=ANSWER_TIMEOUT, keep_events=False)
                talk.client.join(name, room)
                talk.client.on_event = talk.hear
            wait = max(0.0, due - time.monotonic()) if asks else 1.0
            ready, _, _ = select.select([talk.client, pipe], [], [], wait)
            if talk.client in ready:
                talk.client.receive()
                talk.collect_acks()
            if asks and time.monotonic() >= due:
                due = max(due + ASK_INTERVAL, time.monotonic())
                talk.ask()
            talk.expire(ANSWER_TIMEOUT)
        except OSError as problem:
            talk.seen["disconnected"] += 1
            talk.refuse(str(problem))
            if talk.client is not None:
                talk.client.close()
                talk.client = None
            talk.expire(0)
            time.sleep(0.2)
        if pipe.poll():
            pipe.recv()
            pipe.send(talk.seen)
            talk.seen = _fresh()


def together(taken):
    """Combines the measurements of several users."""
    all_of_them = _fresh()
    for seen in taken:
        for key, value in seen.items():
            all_of_them[key] = all_of_them[key] + value
    return all_of_them


def quantile(times, part):
    """Returns a quantile in milliseconds; NaN without measurements."""
    times = sorted(times)
    return times[min(len(times) - 1, int(part * len(times)))] * 1000 if times else float("nan")
