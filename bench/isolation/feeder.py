"""Somebody who says very much in one room, as fast as it is acknowledged, and counts what bots answer there."""

import multiprocessing
import os
import select
import time

from load.socketio import Client

SOURCE = "127.0.0.2"
# Messages that are on their way.
WINDOW = 500
NICE = 10
ANSWER = "done "


class Feeder:
    """Says `e 0`, `e 1` and so on in `room`; counts answers `done 0`, `done 1`, each once."""

    def __init__(self, daemon, room, count):
        self.count = count
        self.pipe, theirs = multiprocessing.Pipe()
        arguments = (daemon.address, room, count, theirs)
        self.process = multiprocessing.Process(target=_feed, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def counted(self):
        """`acked`, `refused`, the seconds since the start until the last acknowledgement, `heard`, `twice`,
        `trouble`, and whether its connection is `gone`."""
        self.pipe.send("count")
        return self.pipe.recv()

    def close(self):
        self.process.terminate()
        self.process.join()


def _feed(address, room, count, pipe):
    os.nice(NICE)
    told = {"acked": 0, "refused": 0, "seconds": 0.0, "twice": 0, "trouble": None, "gone": False}
    heard = bytearray(count)

    def hear(name, data):
        if name == "new_message" and data["message"].startswith(ANSWER):
            number = int(data["message"].removeprefix(ANSWER))
            told["twice"] += heard[number]
            heard[number] = 1

    client = Client(address, SOURCE, timeout=60)
    client.join("feeder", room)
    client.on_event = hear
    began, sent = time.monotonic(), 0
    while True:
        try:
            while client and sent < count and sent - told["acked"] - told["refused"] < WINDOW:
                client.ask("send_message", {"message": f"e {sent}", "nonce": str(sent)})
                sent += 1
            ready, _, _ = select.select([one for one in (client, pipe) if one], [], [], 1)
            if client in ready:
                client.receive()
                for answer in client.acks.values():
                    told["refused" if "error" in answer else "acked"] += 1
                    told["trouble"] = answer.get("error", told["trouble"])
                    told["seconds"] = time.monotonic() - began
                client.acks.clear()
        except OSError as problem:
            told["trouble"], told["gone"], client = str(problem), True, None
        if pipe.poll():
            pipe.recv()
            pipe.send({**told, "heard": sum(heard)})
