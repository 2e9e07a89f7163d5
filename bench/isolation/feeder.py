"""A user who sends messages in one room as fast as they are acknowledged, and counts the bots'
answers there."""

import multiprocessing
import os
import select
import time

from load.socketio import Client

SOURCE = "127.0.0.2"
# Messages in flight.
WINDOW = 500
NICE = 10
ANSWER = "done "


class Feeder:
    """Sends `e 0`, `e 1` and so on in `room`, and counts the different answers `done 0`, `done 1`
    and so on."""

    def __init__(self, daemon, room, count):
        self.count = count
        self.pipe, theirs = multiprocessing.Pipe()
        arguments = (daemon.address, room, count, theirs)
        self.process = multiprocessing.Process(target=_feed, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def counted(self):
        """Returns `acked`, `refused`, the seconds from the start to the last acknowledgement,
        `heard`, `twice`, `trouble`, and whether the connection is `gone`."""
        self.pipe.send("count")
        return self.pipe.recv()

    def close(self):
        self.process.terminate()
        self.process.join()


def _feed(address, room, count, pipe):
    os.nice(NICE)
    counts = {"acked": 0, "refused": 0, "seconds": 0.0, "twice": 0, "trouble": None, "gone": False}
    heard = bytearray(count)

    def hear(name, data):
        if name == "new_message" and data["message"].startswith(ANSWER):
            number = int(data["message"].removeprefix(ANSWER))
            counts["twice"] += heard[number]
            heard[number] = 1

    client = Client(address, SOURCE, timeout=60)
    client.join("feeder", room)
    client.on_event = hear
    began, sent = time.monotonic(), 0
    while True:
        try:
            while client and sent < count and sent - counts["acked"] - counts["refused"] < WINDOW:
                client.ask("send_message", {"message": f"e {sent}", "nonce": str(sent)})
                sent += 1
            ready, _, _ = select.select([one for one in (client, pipe) if one], [], [], 1)
            if client in ready:
                client.receive()
                for answer in client.acks.values():
                    counts["refused" if "error" in answer else "acked"] += 1
                    counts["trouble"] = answer.get("error", counts["trouble"])
                    counts["seconds"] = time.monotonic() - began
                client.acks.clear()
        except OSError as problem:
            counts["trouble"], counts["gone"], client = str(problem), True, None
        if pipe.poll():
            pipe.recv()
            pipe.send({**counts, "heard": sum(heard)})
