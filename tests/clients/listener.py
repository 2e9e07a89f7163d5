"""A third-party Socket.IO client (python-socketio): enters a room, posts the lines that it reads from standard input, and
prints each event that it receives as one line of JSON."""

import asyncio
import json
import sys

import socketio

address, username, room = sys.argv[1:4]
# The asynchronous client handles events in order; the synchronous one handles each in its own thread.
client = socketio.AsyncClient(reconnection=False)


def show(event):
    def handler(*data):
        print(json.dumps([event, *data]), flush=True)

    return handler


for event in ["connected", "room_joined", "user_joined", "user_left", "new_message", "error"]:
    client.on(event, show(event))


async def main():
    await client.connect(f"http://{address}")
    await client.emit("join_room", {"username": username, "room": room})
    read = asyncio.get_running_loop().run_in_executor
    while line := await read(None, sys.stdin.readline):
        await client.emit("send_message", {"message": line.rstrip("\n")})
    await client.disconnect()


asyncio.run(main())
