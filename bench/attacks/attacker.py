"""Processes of attackers."""

import collections
import http.client
import multiprocessing
import os
import time

from attacks import clients
from load.crowd import raise_open_files
from load.socketio import Client

# Real attackers have machines of their own; here they leave the cores to the daemon and the measuring users.
NICE = 19
# Seconds between two rounds of an attack that was refused.
ROUND_PAUSE = 0.1


class Attacker:
    """Calls `attack(address, until, notes)` repeatedly for `seconds`."""

    def __init__(self, address, attack, seconds):
        self.pipe, theirs = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.Process(target=_attack, args=(address, attack, seconds, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def finish(self):
        """Waits for the end of the attack, and returns its notes with their counts."""
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
            time.sleep(ROUND_PAUSE)
    pipe.send(notes)


class Speaker:
    """An attack that sends a hostile script its messages, at the rate that it wants."""

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
