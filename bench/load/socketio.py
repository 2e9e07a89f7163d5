"""Socket.IO over a WebSocket, with blocking calls and the standard library only: Engine.IO 4, the
default namespace."""

import collections
import json
import select
import socket
import struct
import time

HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Closed(OSError):
    """The connection was lost or refused, or timed out."""


def frame(data, opcode=1):
    """Returns a client's frame. The mask is zero, so that the payload stays as it is."""
    if isinstance(data, str):
        data = data.encode()
    if len(data) < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | len(data))
    elif len(data) < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, len(data))
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, len(data))
    return head + b"\0\0\0\0" + data


def event(name, data, ack=None):
    """Returns an event as a frame."""
    return frame(f"42{'' if ack is None else ack}" + json.dumps([name, data]))


def connect(address, source=None, timeout=10):
    """Opens a plain TCP connection from the address `source`."""
    connection = socket.create_connection(address, timeout, (source, 0) if source else None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def open_websocket(address, source=None, timeout=10):
    """Opens a WebSocket. Returns the connection, and what arrived after the response to the handshake."""
    connection = connect(address, source, timeout)
    connection.sendall(HANDSHAKE.format(host=address[0], port=address[1]).encode())
    came = b""
    while b"\r\n\r\n" not in came:
        data = connection.recv(4096)
        if not data:
            raise Closed("closed while opening")
        came += data
    head, rest = came.split(b"\r\n\r\n", 1)
    status = head.split(b" ", 2)[1]
    if status != b"101":
        connection.close()
        raise Closed(f"refused with {status.decode()}")
    return connection, rest


class Client:
    """A client of the room service. Events are queued in `events`, acknowledgements are in `acks`."""

    def __init__(self, address, source=None, timeout=10, keep_events=True):
        self.socket, rest = open_websocket(address, source, timeout)
        self.timeout = timeout
        self.buffer = bytearray(rest)
        self.events = collections.deque()
        self.acks = {}
        self.next_ack = 0
        self.keep_events = keep_events
        self.on_event = None
        self.write("40")
        self.wait("connected")

    def fileno(self):
        return self.socket.fileno()

    def close(self):
        self.socket.close()

    def write(self, text):
        self.socket.sendall(frame(text))

    def emit(self, name, data):
        self.socket.sendall(event(name, data))

    def ask(self, name, data):
        """Sends an event that asks for an acknowledgement, and returns the number of that."""
        number = self.next_ack
        self.next_ack += 1
        self.socket.sendall(event(name, data, number))
        return number

    def call(self, name, data):
        """Sends an event and waits for its acknowledgement."""
        number = self.ask(name, data)
        until = time.monotonic() + self.timeout
        while number not in self.acks:
            self.read(until - time.monotonic())
        return self.acks.pop(number)

    def join(self, username, room, **more):
        answer = self.call("join_room", {"username": username, "room": room, **more})
        if "error" in answer:
            raise Closed(answer["error"])
        return self.wait("room_joined")

    def wait(self, name):
        """Returns the data of the next event with this name, and drops those before it."""
        until = time.monotonic() + self.timeout
        while True:
            while self.events:
                found, data = self.events.popleft()
                if found == name:
                    return data
            self.read(until - time.monotonic())

    def read(self, timeout):
        """Reads once, if anything arrives within `timeout` seconds."""
        if timeout <= 0:
            raise Closed("timed out")
        ready, _, _ = select.select([self.socket], [], [], timeout)
        if ready:
            self.receive()

    def receive(self):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Closed("closed by the server")
        self.buffer += data
        for opcode, payload in self._frames():
            if opcode == 8:
                raise Closed("closed by the server")
            if opcode == 9:
                self.socket.sendall(frame(payload, 10))
            elif opcode == 1:
                self._packet(payload)

    def _frames(self):
        at, buffer = 0, self.buffer
        while len(buffer) - at >= 2:
            length, head = buffer[at + 1] & 127, 2
            if length == 126:
                head = 4
            elif length == 127:
                head = 10
            if len(buffer) - at < head:
                break
            if head > 2:
                length = int.from_bytes(buffer[at + 2 : at + head], "big")
            if len(buffer) - at < head + length:
                break
            yield buffer[at] & 15, bytes(buffer[at + head : at + head + length])
            at += head + length
        del buffer[:at]

    def _packet(self, payload):
        kind = payload[:2]
        if payload[:1] == b"2":
            self.write("3")
        elif kind == b"42":
            name, *data = json.loads(payload[2:])
            data = data[0] if data else None
            if self.on_event:
                self.on_event(name, data)
            elif self.keep_events or name in ("connected", "room_joined"):
                self.events.append((name, data))
        elif kind == b"43":
            at = payload.index(b"[")
            answer = json.loads(payload[at:])
            self.acks[int(payload[2:at])] = answer[0] if answer else {}
        elif kind in (b"41", b"44") or payload[:1] == b"1":
            raise Closed(f"closed by the server: {payload[:200]!r}")
