"""Many users in one room, on one thread.

Deliveries are counted by scanning bytes, so that the client costs little.
"""

import re
import resource
import select
import socket
import time

from load.socketio import HANDSHAKE, event, frame

DELIVERED = b'"new_message"'
# One byte less than the pattern, so that nothing is counted twice.
TAIL_BYTES = len(DELIVERED) - 1
# The most bytes of one read, and of one of our messages.
READ_BYTES_MAX = 1 << 16
MESSAGE_BYTES_MAX = 1024
NUMBER = re.compile(rb'"new_message".{0,400}?number (\d+) ', re.DOTALL)
# An Engine.IO ping in a server's frame.
PING = b"\x81\x012"
PONG = frame("3")
# Latencies are measured for one in this many users.
SAMPLED_EVERY = 40


def raise_open_files(wanted):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class Member:
    """One connection: its step of joining, its count, and the end of what it has read."""

    __slots__ = ("index", "socket", "step", "tail", "rest", "count", "sampled")

    def __init__(self, index, connection):
        self.index = index
        self.socket = connection
        self.step = 0
        self.tail = b""
        self.rest = b""
        self.count = 0
        self.sampled = index % SAMPLED_EVERY == 0


class Crowd:
    """`count` users at the addresses `sources` who join `room`."""

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
        """Reads what has arrived, or arrives within `timeout` seconds."""
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
        data = member.socket.recv(READ_BYTES_MAX)
        if not data:
            raise ConnectionResetError
        if member.step < 4:
            self._enter(member, member.tail + data)
            return
        count = data.count(DELIVERED)
        if member.tail:
            # Too short to contain a pattern that does not lie across both reads.
            count += (member.tail + data[:TAIL_BYTES]).count(DELIVERED)
        # Packets end with a bracket, as do most reads.
        member.tail = b"" if data.endswith(b"]") else (member.tail + data)[-TAIL_BYTES:]
        member.count += count
        self.delivered += count
        if PING in data:
            member.socket.sendall(PONG)
        if member.sampled:
            self._sample(member, data)

    def _sample(self, member, data):
        """Records the latencies of deliveries, and keeps an incomplete one for the next read."""
        now, end = time.monotonic(), 0
        data = member.rest + data
        for found in NUMBER.finditer(data):
            end = found.end()
            sent = self.times.get(int(found.group(1)))
            if sent is not None:
                self.latencies.append(now - sent)
        member.rest = data[max(end, len(data) - MESSAGE_BYTES_MAX) :]

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

    def enter(self, timeout):
        """Waits until all have joined, and returns the seconds that it took."""
        until = self.began + timeout
        while self.joined + self.lost < len(self.by_index) and time.monotonic() < until:
            self.poll(0.1)
        return time.monotonic() - self.began

    def drain(self, quiet):
        """Reads until nothing is delivered for `quiet` seconds."""
        last, until = self.delivered, time.monotonic() + quiet
        while time.monotonic() < until:
            self.poll(0.05)
            if self.delivered != last:
                last, until = self.delivered, time.monotonic() + quiet

    def send(self):
        """Lets the next user send a message with a number."""
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
