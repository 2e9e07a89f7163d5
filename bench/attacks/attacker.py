"""Processes that attack."""

import collections
import http.client
import multiprocessing
import os
import time

from attacks import clients
from load.crowd import raise_open_files
from load.socketio import Client

# Attackers have machines of their own; here they leave the cores to the daemon and to those who measure.
NICE = 19
# Between two rounds of an attack that was refused.
PAUSE = 0.1


class Attacker:
    """Calls `attack(address, until, notes)` until `seconds` are over."""

    def __init__(self, address, attack, seconds):
        self.pipe, theirs = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.Process(target=_attack, args=(address, attack, seconds, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def finish(self):
        """Waits until it is over: what it noted, and how often."""
        notes = collections.Counter()
        try:
            if self.pipe.poll(40):
                notes = self.pipe.recv()
            else:
                notes["attacker stuck"] += 1
        except EOFError:
            notes["attacker failed"] += 1
        self.process.terminate()
        self.process.join()
        return notes


def _attack(address, attack, seconds, pipe):
    os.nice(NICE)
    raise_open_files(8192)
    notes = collections.Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            attack(address, until, notes)
        except (OSError, http.client.HTTPException) as problem:
            notes[(str(problem) or type(problem).__name__)[:60]] += 1
            time.sleep(PAUSE)
    pipe.send(notes)


class Speaker:
    """An attack: says what a hostile script is to hear, as fast as it wants it."""

    def __init__(self, hostile):
        self.name = f"speaker {hostile.number}"
        self.says = hostile.says
        self.pause = hostile.pause

    def __call__(self, address, until, notes):
        client = Client(address, clients.SOURCE, keep_events=False)
        client.join(f"{self.name} {time.monotonic():.0f}", clients.HOSTILE_ROOM)
        due = time.monotonic()
        while time.monotonic() < until:
            for text in self.says:
                client.emit("send_message", {"message": text})
                notes["said"] += 1
            due = max(due + self.pause, time.monotonic())
            while (left := due - time.monotonic()) > 0:
                client.read(left)
