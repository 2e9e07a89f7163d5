"""Many people in one room, by one thread: deliveries are counted by scanning bytes, so that the client costs little."""

import re
import resource
import select
import socket
import time

from load.socketio import HANDSHAKE, event, frame

DELIVERED = b'"new_message"'
# Of at most one byte less than what is looked for, so that nothing is counted twice.
KEPT = len(DELIVERED) - 1
# How much is read at once, and how long a message of ours is at most, in bytes.
READ = 1 << 16
LONGEST = 1024
NUMBER = re.compile(rb'"new_message".{0,400}?number (\d+) ', re.DOTALL)
# A ping of Engine.IO as a frame of a server.
PING = b"\x81\x012"
PONG = frame("3")
# Of one in so many people it is looked at how long deliveries took.
SAMPLED = 40


def raise_open_files(wanted):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class Member:
    """One connection: where it stands, what it has counted, and the end of what it has read."""

    __slots__ = ("index", "socket", "step", "tail", "rest", "count", "sampled")

    def __init__(self, index, connection):
        self.index = index
        self.socket = connection
        self.step = 0
        self.tail = b""
        self.rest = b""
        self.count = 0
        self.sampled = index % SAMPLED == 0


class Crowd:
    """`count` people at the addresses `sources` who enter `room`."""

    def __init__(self, address, sources, count, room, name="person"):
        raise_open_files(count + 200)
        self.address = address
        self.room = room
        self.name = name
        self.epoll = select.epoll()
        self.members = {}
        self.by_index = []
        self.joined = 0
        self.delivered = 0
        self.sent = 0
        self.lost = 0
        self.times = {}
        self.latencies = []
        self.began = time.monotonic()
        for index in range(count):
            self._connect(index, sources[index % len(sources)])

    def _connect(self, index, source):
        connection = socket.socket()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((source, 0))
        connection.setblocking(False)
        connection.connect_ex(self.address)
        member = Member(index, connection)
        self.members[connection.fileno()] = member
        self.by_index.append(member)
        self.epoll.register(connection.fileno(), select.EPOLLOUT)

    def poll(self, timeout):
        """Reads what is there, or comes within `timeout` seconds."""
        for number, happened in self.epoll.poll(timeout, 1024):
            member = self.members.get(number)
            if member is None:
                continue
            try:
                if happened & select.EPOLLOUT and member.step == 0:
                    member.socket.sendall(HANDSHAKE.format(host=self.address[0], port=self.address[1]).encode())
                    member.step = 1
                    self.epoll.modify(number, select.EPOLLIN)
                else:
                    self._read(member)
            except BlockingIOError:
                continue
            except OSError:
                self._lose(member)

    def _lose(self, member):
        self.lost += 1
        self.members.pop(member.socket.fileno(), None)
        member.socket.close()

    def _read(self, member):
        data = member.socket.recv(READ)
        if not data:
            raise ConnectionResetError
        if member.step < 4:
            self._enter(member, member.tail + data)
            return
        count = data.count(DELIVERED)
        if member.tail:
            # Only what lies across both is in there whole.
            count += (member.tail + data[:KEPT]).count(DELIVERED)
        # Packets end with a bracket, and so do most reads.
        member.tail = b"" if data.endswith(b"]") else (member.tail + data)[-KEPT:]
        member.count += count
        self.delivered += count
        if PING in data:
            member.socket.sendall(PONG)
        if member.sampled:
            self._sample(member, data)

    def _sample(self, member, data):
        """Notes how long deliveries took; what is not whole yet waits."""
        now, end = time.monotonic(), 0
        data = member.rest + data
        for found in NUMBER.finditer(data):
            end = found.end()
            sent = self.times.get(int(found.group(1)))
            if sent is not None:
                self.latencies.append(now - sent)
        member.rest = data[max(end, len(data) - LONGEST) :]

    def _enter(self, member, data):
        if member.step == 1 and b"pingInterval" in data:
            if b"HTTP/1.1 101" not in data:
                raise ConnectionRefusedError
            member.socket.sendall(frame("40"))
            member.step = 2
        if member.step == 2 and b'40{"sid' in data:
            username = f"{self.name}{member.index}"
            member.socket.sendall(event("join_room", {"username": username, "room": self.room}))
            member.step = 3
        if member.step == 3 and b"room_joined" in data:
            member.step = 4
            self.joined += 1
            member.tail = b""
            return
        if b"HTTP/1.1 " in data[:9] and b"101" not in data[:12]:
            raise ConnectionRefusedError
        member.tail = bytes(data[-65536:])

    def enter(self, patience):
        """Waits until all are in: in how many seconds."""
        until = self.began + patience
        while self.joined + self.lost < len(self.by_index) and time.monotonic() < until:
            self.poll(0.1)
        return time.monotonic() - self.began

    def drain(self, quiet):
        """Reads until nothing was delivered for `quiet` seconds."""
        last, until = self.delivered, time.monotonic() + quiet
        while time.monotonic() < until:
            self.poll(0.05)
            if self.delivered != last:
                last, until = self.delivered, time.monotonic() + quiet

    def send(self):
        """The next one says something: its number is in the text."""
        speakers = self.by_index
        member = speakers[self.sent % len(speakers)]
        while member.step < 4 or member.socket.fileno() < 0:
            member = speakers[(member.index + 1) % len(speakers)]
        self.times[self.sent] = time.monotonic()
        member.socket.sendall(event("send_message", {"message": f"hello, this is number {self.sent} of many"}))
        self.sent += 1

    def close(self):
        for member in self.members.values():
            member.socket.close()
        self.epoll.close()
