"""A server of the Bot API in a process of its own, which refuses connections or accepts everything,
and records what it gets."""

import asyncio
import collections
import json
import multiprocessing
import socket
import time

CHATS = 100
FIRST_CHAT = 1000
ME = {
    "id": 42, "is_bot": True, "first_name": "Palabre", "username": "palabre_bot", "can_join_groups": True,
    "can_read_all_group_messages": True, "supports_inline_queries": False,
}
TOKEN = "42:load-test"


def _chat(number):
    return {"id": number, "type": "private", "first_name": f"Person {number}"}


class BotApi:
    """Accepts connections at first. `address` is the value for `api:`."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_serve, args=(self.port, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.accept()

    def _request(self, what, value=None):
        self.pipe.send((what, value))
        return self.pipe.recv()

    def accept(self):
        self._request("accept")

    def refuse(self):
        """Closes all connections and refuses new ones."""
        self._request("refuse")

    def feed(self, count):
        """Adds updates with `count` messages, `u 0` and so on."""
        self._request("feed", count)

    def counted(self):
        """Returns the number of different texts by first word, the number of repetitions, and calls
        by method."""
        return self._request("count")

    def close(self):
        self.process.terminate()
        self.process.join()


class _Server:
    def __init__(self):
        self.texts = collections.Counter()
        self.calls = collections.Counter()
        self.updates = []
        self.connections = set()
        self.waiting = []
        self.message = 0

    def answer(self, method, body):
        """Returns the result of a call."""
        self.calls[method] += 1
        if method.startswith("send"):
            self.message += 1
            self.texts[body.get("text", "")] += 1
            message = {"message_id": self.message, "date": int(time.time()), "chat": _chat(int(body["chat_id"]))}
            return {**message, "from": ME, "text": body.get("text", "")}
        if method == "getMe":
            return ME
        if method in ("getChatAdministrators", "getMyCommands"):
            return []
        if method in ("getChat",):
            return _chat(int(body["chat_id"]))
        if method == "getWebhookInfo":
            return {"url": "", "has_custom_certificate": False, "pending_update_count": 0}
        return True

    def pending(self, body):
        """Returns the updates from the offset on, and drops those before it, which are confirmed."""
        offset = body.get("offset", 0)
        self.updates = [update for update in self.updates if update["update_id"] >= offset] if self.updates else []
        return self.updates[: body.get("limit", 100)]

    def feed(self, count):
        now = int(time.time())
        for number in range(count):
            chat = _chat(FIRST_CHAT + number % CHATS)
            message = {"message_id": 1_000_000 + number, "date": now, "chat": chat, "from": {**chat, "is_bot": False}}
            del message["from"]["type"]
            message["text"] = f"u {number}"
            self.updates.append({"update_id": number + 1, "message": message})
        for wake in self.waiting:
            wake.set()

    def counted(self):
        kinds = collections.Counter(text.split(" ")[0] for text in self.texts)
        twice = sum(count - 1 for count in self.texts.values())
        return {"kinds": dict(kinds), "twice": twice, "calls": dict(self.calls)}

    async def talk(self, reader, writer):
        self.connections.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.split(b"\r\n")[1:]:
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                data = await reader.readexactly(length) if length else b""
                method = head.split(b" ", 2)[1].rsplit(b"/", 1)[1].decode()
                body = json.loads(data) if data[:1] == b"{" else {}
                result = await self.updates_for(body) if method == "getUpdates" else self.answer(method, body)
                text = json.dumps({"ok": True, "result": result}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.connections.discard(writer)
            writer.close()

    async def updates_for(self, body):
        self.calls["getUpdates"] += 1
        if not self.pending(body) and body.get("timeout", 0):
            wake = asyncio.Event()
            self.waiting.append(wake)
            try:
                await asyncio.wait_for(wake.wait(), body["timeout"])
            except asyncio.TimeoutError:
                pass
            self.waiting.remove(wake)
        return self.pending(body)


def _serve(port, pipe):
    asyncio.run(_run(port, pipe))


async def _run(port, pipe):
    server, listener = _Server(), None
    commands, loop = asyncio.Queue(), asyncio.get_running_loop()
    loop.add_reader(pipe.fileno(), lambda: commands.put_nowait(pipe.recv()))
    while True:
        what, value = await commands.get()
        answer = None
        if what == "accept" and listener is None:
            listener = await asyncio.start_server(server.talk, "127.0.0.1", port, backlog=1024)
        elif what == "refuse" and listener is not None:
            listener.close()
            listener = None
            for writer in list(server.connections):
                writer.transport.abort()
        elif what == "feed":
            server.feed(value)
        elif what == "count":
            answer = server.counted()
        pipe.send(answer)
