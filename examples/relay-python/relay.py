"""Starts the node. With `--verify`, only checks the signatures in stdin."""

import asyncio
import signal
import socket
import sys

import web_socket
from node import LEAVING, Node
from settings import DRAIN_DEADLINE, NODE_ID, PORT
from signature import verify
from web_socket import Refused, check

MAX_CONNECTIONS = 10_000


class Relay:
    def __init__(self, node):
        self.node, self.connections = node, set()

    async def connect(self, reader, writer):
        task = asyncio.current_task()
        self.connections.add(task)
        try:
            accepted = await web_socket.handshake(reader, writer)
            if accepted is not None:
                await self.attend(*accepted)
                await accepted[0].finish()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # A client that disconnects, or sends too much or nothing, costs nobody else anything.
        finally:
            self.connections.discard(task)
            writer.close()

    async def attend(self, client, signature):
        room = None
        try:
            check(len(self.connections) <= MAX_CONNECTIONS, 4429, 'no seat is free')
            # Messages wait in the connection until the client is admitted.
            room = await self.node.admit(signature, client)
            await client.listen(lambda framed: self.node.pass_on(room, client, framed))
        except Refused as refusal:
            client.close(*refusal.args)
        finally:
            if room is not None:
                self.node.vacate(room, client)

    async def drain(self):
        """No new rooms; at the deadline the node leaves, and then sends the clients to other nodes."""
        ends_at = asyncio.get_running_loop().time() + DRAIN_DEADLINE / 1000
        self.node.is_draining = True
        self.node.hurry.set()
        while not self.node.is_vacant() and asyncio.get_running_loop().time() < ends_at:
            await asyncio.sleep(0.1)
        await self.node.leave()
        self.node.close_all(f'{LEAVING} within 2000 ms')
        if self.connections:
            await asyncio.wait(self.connections, timeout=2)


async def serve():
    # Browsers connect as soon as the node is registered: until it accepts them, they wait in the backlog.
    listening = socket.create_server(('127.0.0.1', PORT), backlog=1024)
    node = Node()
    relay = Relay(node)
    await node.start()
    await asyncio.start_server(relay.connect, sock=listening, limit=16_384)
    print(f'{NODE_ID} is registered, and listens at port {PORT}', flush=True)
    told = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    await told.wait()
    await relay.drain()


def verify_lines(lines):
    """The first line has a time in milliseconds and an incarnation, each further line a signature."""
    now, incarnation = next(lines).split()
    for line in lines:
        try:
            print('join-only' if verify(line.rstrip('\n'), incarnation, int(now))['joinOnly'] else 'valid')
        except Refused as refusal:
            print('bad:', refusal)


if __name__ == '__main__':
    if sys.argv[1:] == ['--verify']:
        verify_lines(sys.stdin)
    else:
        asyncio.run(serve())
