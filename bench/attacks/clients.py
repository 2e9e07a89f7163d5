"""Attacks by one anonymous client.

Each function is one round of an attack. It is called until the time is over, even if it fails, and
notes the responses.
"""

import contextlib
import http.client
import itertools
import os
import select
import time

from load.crowd import Crowd
from load.socketio import Client, Closed, connect, event, frame, open_websocket

SOURCE = "127.0.0.2"
HOSTILE_ROOM = "pit"
ARCHIVE = "archive"
# A public route of a script that main installs.
ROUTE = "/scripts/pages/status"
ENGINE = "/socket.io/?EIO=4&transport=polling"
# A client that was disconnected returns under another name.
NAMES = (f"hostile {os.getpid()} {number}" for number in itertools.count())


class Web:
    """A connection for requests, which is opened again after the server has closed it."""

    def __init__(self, address, notes):
        self.connection = http.client.HTTPConnection(*address, timeout=20, source_address=(SOURCE, 0))
        self.notes = notes

    def ask(self, method, path, body=None, headers=None):
        try:
            self.connection.request(method, path, body, headers or {})
            answer = self.connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise
        self.notes[str(answer.status)] += 1
        return answer.status, data

    def handshake(self):
        """Opens a polling session, and returns its id."""
        status, data = self.ask("GET", ENGINE)
        if status != 200:
            time.sleep(0.01)
            return None
        at = data.index(b'"sid":"') + 7
        return data[at : data.index(b'"', at)].decode()


def polling_sessions_that_end_at_once(address, until, notes):
    web = Web(address, notes)
    bodies = itertools.cycle(["40\x1e1", "40\x1e1", "1", "40\x1e41", "nonsense"])
    while time.monotonic() < until:
        sid = web.handshake()
        if sid:
            web.ask("POST", f"{ENGINE}&sid={sid}", next(bodies), {"Content-Type": "text/plain"})


class Flood:
    """Sends over one connection without end. Data that was sent in part is continued where it stopped."""

    def __init__(self, connection, notes, name):
        self.socket = connection
        self.socket.setblocking(False)
        self.notes = notes
        self.name = name
        self.left = memoryview(b"")

    def send(self, data):
        """Sends for at most a second. `data` is begun once the data before it is sent."""
        if not self.left:
            self.left = memoryview(data)
            self.notes[f"{self.name} sent"] += 1
        _, ready, _ = select.select([], [self.socket], [], 1)
        if not ready:
            self.notes[f"{self.name} not read"] += 1
            return
        self.left = self.left[self.socket.send(self.left) :]

    def forget(self):
        """Reads what has arrived, and discards it."""
        try:
            while self.socket.recv(1 << 18):
                pass
        except BlockingIOError:
            return
        raise ConnectionResetError(f"{self.name} disconnected")


def pings_without_reading(address, until, notes):
    connection, _ = open_websocket(address, SOURCE)
    with connection:
        connection.sendall(frame("40"))
        flood = Flood(connection, notes, "500 pings")
        pings = frame(b"p" * 125, 9) * 500
        while time.monotonic() < until:
            flood.send(pings)


def catching_up_without_reading(address, until, notes):
    with contextlib.closing(Client(address, SOURCE)) as client:
        name = next(NAMES)
        first = client.join(name, ARCHIVE)["messages"][0]["id"]
        flood = Flood(client.socket, notes, "60 joins")
        joins = event("join_room", {"username": name, "room": ARCHIVE, "last_id": first}) * 60
        while time.monotonic() < until:
            flood.send(joins)
            time.sleep(0.2)


def a_crowd_that_joins_and_leaves(address, until, notes):
    crowd = Crowd(address, [SOURCE], 1000, "square", "extra")
    crowd.enter(min(15, max(0, until - time.monotonic())))
    notes["entered"] += crowd.joined
    notes["turned away"] += crowd.lost
    rooms = itertools.cycle(["market", "square"])
    while time.monotonic() < until and crowd.members:
        room = next(rooms)
        for member in list(crowd.members.values()):
            crowd.poll(0)
            try:
                member.socket.sendall(event("join_room", {"username": f"extra{member.index}", "room": room}))
            except OSError:
                pass
        crowd.poll(0.1)
    crowd.close()


def _post(address, until, notes, bodies):
    """Sends bodies to a route that declares none, and to one that does."""
    web = Web(address, notes)
    for body, kind in itertools.cycle(bodies):
        for method, path in [("GET", ROUTE), ("POST", ROUTE), ("POST", "/scripts/pages/note")]:
            if time.monotonic() >= until:
                return
            try:
                web.ask(method, path, body, {"Content-Type": kind})
            except OSError:
                # Refused before it was sent completely.
                notes["cut off"] += 1


def bodies_with_many_keys(address, until, notes):
    # More keys than a route accepts, and as many as it does.
    keys = ["&".join(f"k{number}=1" for number in range(count)) for count in (200_000, 20_000)]
    lists = ["[" + "[]," * count + "[]]" for count in (200_000, 80_000)]
    form, data = "application/x-www-form-urlencoded", "application/json"
    _post(address, until, notes, [(keys[0], form), (lists[0], data), (keys[1], form), (lists[1], data)])


def large_bodies(address, until, notes):
    bodies = [b'{"text":"' + b"x" * size + b'"}' for size in (780_000, 250_000)]
    _post(address, until, notes, [(body, "application/json") for body in bodies])


def half_requests(address, until, notes):
    begun = [
        b"",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ",
        b"POST /scripts/pages/note HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
        b"GET /assets/none HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 2000,
    ]
    held = []
    for number in range(6000):
        if time.monotonic() >= until:
            break
        try:
            connection = connect(address, SOURCE, timeout=2)
            connection.settimeout(0.05)
            held.append(connection)
            connection.sendall(begun[number % len(begun)])
        except OSError as problem:
            notes[type(problem).__name__] += 1
    notes["held"] += len(held)
    # A byte from time to time, so that the connections look alive.
    while time.monotonic() < until and held:
        for connection in list(held):
            try:
                connection.send(b"a")
            except BlockingIOError:
                pass
            except OSError:
                held.remove(connection)
                connection.close()
                notes["closed"] += 1
        time.sleep(1)
    for connection in held:
        connection.close()


def _ask(client, what, all_data, until, notes):
    """Sends all requests at once, and returns the answers that arrive in time."""
    asked = [client.ask(what, data) for data in all_data]
    give_up = min(until, time.monotonic() + 20)
    while (left := give_up - time.monotonic()) > 0 and any(number not in client.acks for number in asked):
        client.read(left)
        client.events.clear()
    answers = [client.acks.pop(number) for number in asked if number in client.acks]
    refused = sum("error" in answer for answer in answers)
    notes[f"{what} taken"] += len(answers) - refused
    notes[f"{what} refused"] += refused
    notes[f"{what} not answered"] += len(asked) - len(answers)
    return answers


def new_rooms_without_end(address, until, notes):
    with contextlib.closing(Client(address, SOURCE, timeout=30)) as client:
        name = next(NAMES)
        for first in range(0, 10_000, 200):
            rooms = [f"room {number} of {name}" for number in range(first, first + 200)]
            _ask(client, "join_room", [{"username": name, "room": room} for room in rooms], until, notes)
            if time.monotonic() >= until:
                return


def uploads_without_end(address, until, notes):
    web = Web(address, notes)
    with contextlib.ExitStack() as in_flight:
        client = in_flight.enter_context(contextlib.closing(Client(address, SOURCE, timeout=30)))
        client.join(next(NAMES), HOSTILE_ROOM)
        while time.monotonic() < until:
            announced = _ask(client, "upload", [{"name": "a.bin", "size": 10_000_000}] * 82, until, notes)
            places = [answer["url"] for answer in announced if "url" in answer]
            # Some uploads are begun, some completed without a message; the rest are only announced.
            for url in places[:12]:
                connection = in_flight.enter_context(connect(address, SOURCE))
                head = f"PUT {url} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000000\r\n\r\nx"
                connection.sendall(head.encode())
            for url in places[12:14]:
                web.ask("PUT", url, b"x" * 1_000_000)


def foreign_hosts(address, until, notes):
    web = Web(address, notes)
    paths = ["/", "/api/rooms", "/api/stats", "/metrics", "/docs/", "/openapi.json", ROUTE, ENGINE, "/health/ready"]
    heads = [
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
    ]
    while time.monotonic() < until:
        for path in paths:
            for head in heads:
                status, _ = web.ask("GET", path, None, head)
                if status == 200:
                    notes[f"taken: {path} {'+'.join(head)}"] += 1


def _flood(address, until, notes, what, packets):
    """Sends the packets of `packets(client)` as fast as they are accepted, and discards what arrives."""
    with contextlib.closing(Client(address, SOURCE)) as client:
        client.join(next(NAMES), HOSTILE_ROOM)
        data = packets(client)
        client.events.clear()
        flood = Flood(client.socket, notes, what)
        while time.monotonic() < until:
            flood.send(data)
            flood.forget()


def typing_without_end(address, until, notes):
    _flood(address, until, notes, "1000 typing", lambda _client: event("typing", {"is_typing": True}) * 1000)


def sending_without_end(address, until, notes):
    _flood(address, until, notes, "100 messages", lambda _client: event("send_message", {"message": "again"}) * 100)


def reacting_without_end(address, until, notes):
    def packets(client):
        message = client.call("send_message", {"message": "look"})
        if "id" not in message:
            raise Closed(message["error"])
        on = event("react", {"id": message["id"], "emoji": "👍"})
        return (on + event("react", {"id": message["id"], "emoji": "👍", "remove": True})) * 200

    _flood(address, until, notes, "400 reactions", packets)


def handshakes_that_are_not_continued(address, until, notes):
    web = Web(address, notes)
    while time.monotonic() < until:
        web.handshake()


# By number: the title, and the functions that run at the same time, each in a process of its own.
ATTACKS = {
    "10.1": ("polling sessions that end at once", [polling_sessions_that_end_at_once]),
    "10.2": ("pings, nothing read", [pings_without_reading]),
    "10.3": ("catching up 60 times, nothing read", [catching_up_without_reading]),
    "10.4": ("1,000 users who join and leave", [a_crowd_that_joins_and_leaves]),
    "10.5": ("bodies of 200,000 keys", [bodies_with_many_keys]),
    "10.6": ("bodies of 780 kB", [large_bodies]),
    "10.7": ("half requests, answers not read", [half_requests]),
    "10.8": ("10,000 rooms, 4,096 uploads", [new_rooms_without_end, uploads_without_end]),
    "10.9": ("another Host and Origin", [foreign_hosts]),
    "10.10": ("typing, sending, reacting", [typing_without_end, sending_without_end, reacting_without_end]),
    "10.11": ("handshakes that are not continued", [handshakes_that_are_not_continued]),
}
