"""The znodes of the registry, and the transactions on them, over kazoo.

A transaction is never sent again blindly: after a failed operation, or a lost answer, everything is read again first.
"""

import asyncio
import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kazoo.client import KazooClient, TransactionRequest
from kazoo.exceptions import KazooException, NodeExistsError, NoNodeError, RolledBackError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.connection import ConnectionHandler
from kazoo.protocol.serialization import Connect
from kazoo.protocol.states import KazooState, KeeperState, ZnodeStat
from kazoo.retry import KazooRetry

from settings import env

ZOOKEEPER, SESSION = env('ZOOKEEPER', '127.0.0.1:2181'), int(env('SESSION', 6000))
CALL_MS = min(1000, SESSION / 3)
ROOT, ANY, MAX_TRIES = '/cobrowse', -1, 8
MEMBER = r'[\w.:-]{1,64}\|[\w.:-]{1,64}'
STATE = r'assigned|claimed|released|ended|(?:moving|moved)(?:>[\w.:-]{1,64})?'
BINDING = re.compile(rf'({MEMBER}|\|)\|({STATE})\|(\d{{1,16}})\|(\d{{1,16}})\|[\w-]+(\|\[.*\])?', re.ASCII)

# What a call may raise. It may have been written all the same.
NO_ANSWER = (KazooException, KazooTimeoutError, OSError, TimeoutError)

Operation = Callable[[TransactionRequest], None]
Watcher = Callable[[Any], None]


class Unreadable(Exception):
    """The text of a room is no binding. It is left as it is: a room that is in use could be split otherwise."""


class FailedOperation(Exception):
    """The transaction was refused: the operation with this index failed."""

    def __init__(self, index: int, error: Exception) -> None:
        super().__init__(f'{error!r} at operation {index}')
        self.index, self.is_missing = index, isinstance(error, NoNodeError)


@dataclass(frozen=True)
class Binding:
    member: str  # '' for none.
    state: str
    claims: int
    ended_at: int
    history: str = ''  # A gateway may append what happened to the room, as JSON. Each write keeps it.

    @staticmethod
    def parse(data: bytes) -> 'Binding':
        parts = BINDING.fullmatch(data.decode(errors='replace'))
        if parts is None:
            raise Unreadable('the binding cannot be read')
        member, state, claims, ended_at, history = parts.groups()
        return Binding('' if member == '|' else member, state, int(claims), int(ended_at), history or '')

    def is_moved_from(self, member: str) -> bool:
        """Whether an operator moves the room away from this node, which may have registered anew since."""
        return self.state.startswith(('moving', 'moved')) and self.member.split('|')[0] == member.split('|')[0]

    def released(self, member: str, number: int) -> 'Binding | None':
        """The binding without this claim, or None if there is nothing to release."""
        if self.is_moved_from(member) and self.state.startswith('moving'):
            return replace(self, state=self.state.replace('moving', 'moved', 1))
        is_ours = self.member == member and self.state == 'claimed' and self.claims <= number
        return replace(self, state='released', claims=number) if is_ours else None

    def data(self) -> bytes:
        """The random end makes each text unique, so that an unchanged text proves that nobody wrote."""
        fields = (self.member or '|', self.state, self.claims, self.ended_at, secrets.token_urlsafe(9))
        return ('|'.join(map(str, fields)) + self.history).encode()


@dataclass(frozen=True)
class RoomState:
    """A room as it was read: both versions together identify its state."""
    key: str
    bucket_version: int
    version: int | None
    binding: Binding | None


@dataclass(frozen=True)
class Claim:
    key: str
    number: int
    date: int  # Of the signature or of the opening, in milliseconds.


@dataclass(frozen=True)
class Claimed:
    word: str  # ok, elsewhere, ended, moved, stale or failed
    ended_at: int = 0


def now_ms() -> int:
    return int(time.time() * 1000)


def check(path: str, version: int = ANY) -> Operation:
    return lambda transaction: transaction.check(path, version)


def create(path: str, data: bytes, ephemeral: bool = False) -> Operation:
    return lambda transaction: transaction.create(path, data, ephemeral=ephemeral)


def write(path: str, data: bytes, version: int = ANY) -> Operation:
    return lambda transaction: transaction.set_data(path, data, version)


def delete(path: str, version: int = ANY) -> Operation:
    return lambda transaction: transaction.delete(path, version)


def room_key(*names: str) -> str:
    text = b''.join(b'%d:%b' % (len(name), name) for name in map(str.encode, names))
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip('=')


def node_path(member: str) -> str:
    return f'{ROOT}/nodes/{member.replace("|", "~")}'


def order_path(node_id: str) -> str:
    return f'{ROOT}/orders/{node_id}~'


def id_path(node_id: str) -> str:
    return f'{ROOT}/ids/{node_id}~'


def bucket_path(key: str) -> str:
    return f'{ROOT}/rooms/{key[:2]}'


def room_path(key: str) -> str:
    return f'{bucket_path(key)}/{key}'


def confirm_room(room: RoomState) -> list[Operation]:
    return [check(bucket_path(room.key), room.bucket_version), check(room_path(room.key), room.version)]


def write_room(room: RoomState, binding: Binding) -> list[Operation]:
    path, data = room_path(room.key), binding.data()
    # Not `if room.version`: the version of a room that was created and never written is 0.
    written = create(path, data) if room.version is None else write(path, data, room.version)
    return [check(bucket_path(room.key), room.bucket_version), written]


class Connection(ConnectionHandler):
    """Keeps the session timeout that the server granted, since kazoo shows only the one that was asked for."""

    granted = SESSION

    def _invoke(self, timeout: float, request: Any, xid: int | None = None) -> Any:
        answer = super()._invoke(timeout, request, xid)
        # 0 refuses the session.
        if isinstance(request, Connect) and answer[0].time_out > 0:
            self.granted = answer[0].time_out
        return answer


class Store:
    """All methods run in the event loop; kazoo's own threads only hand their answers over to it."""

    def __init__(self, on_connected: Callable[[], None], on_lost: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_connected, self._on_lost = on_connected, on_lost
        self._late: set[asyncio.Future] = set()
        # By default, kazoo doubles the time between attempts to connect until it is an hour.
        retry = KazooRetry(max_tries=-1, delay=0.05, max_delay=0.5)
        self._client = KazooClient(ZOOKEEPER, timeout=SESSION / 1000, connection_retry=retry)
        self._connection = self._client._connection = Connection(self._client, retry.copy())
        self._client.add_listener(lambda state: self.in_loop(self._hear, state))

    async def start(self) -> None:
        """Connects, also after kazoo has given up for good, as it does if no name of a server can be resolved."""
        if self._client.client_state == KeeperState.CLOSED:
            await asyncio.to_thread(self._client.start, SESSION / 1000)

    async def close(self) -> None:
        await asyncio.to_thread(self._client.stop)

    def in_loop(self, function: Callable[..., None], *args: Any) -> None:
        self._loop.call_soon_threadsafe(function, *args)

    def _hear(self, state: str) -> None:
        """SUSPENDED changes nothing: the session may live on. After LOST its znode is deleted, or soon will be."""
        if state == KazooState.LOST:
            self._on_lost()
        if state == KazooState.CONNECTED:
            # No answer of an earlier connection can come.
            self._late.clear()
            self._on_connected()

    def session(self) -> int:
        client_id = self._client.client_id
        if client_id is None:
            raise ConnectionError('not connected to ZooKeeper')
        return client_id[0]

    def session_timeout(self) -> int:
        """Milliseconds that the server granted."""
        return self._connection.granted

    async def _ask(self, call: Callable[..., Any], *args: Any) -> Any:
        """Waits for the answer, in limited time.

        Without a connection, kazoo would send the request later. It notices a silent connection only if nothing is
        sent for a while. So nothing is sent while an answer is late, until it comes or kazoo connects again.
        """
        self.session()
        if self._late:
            raise TimeoutError('an earlier answer is still missing')
        future = self._loop.create_future()
        call(*args).rawlink(lambda result: self.in_loop(future.set_result, result))
        await asyncio.wait([future], timeout=CALL_MS / 1000)
        if not future.done():
            self._late.add(future)
            future.add_done_callback(self._late.discard)
            raise TimeoutError('no answer from ZooKeeper')
        return future.result().get()

    async def exists(self, path: str) -> ZnodeStat | None:
        return await self._ask(self._client.exists_async, path)

    async def read(self, path: str, watcher: Watcher | None = None) -> tuple[bytes, ZnodeStat] | tuple[None, None]:
        """Returns the data and the stat, or Nones for a missing znode."""
        try:
            return await self._ask(self._client.get_async, path, watcher)
        except NoNodeError:
            return None, None

    async def create_parents(self) -> None:
        """Creates the persistent znodes that all transactions need."""
        for path in (ROOT, f'{ROOT}/nodes', f'{ROOT}/ids', f'{ROOT}/rooms'):
            await self._create_persistent(path)

    async def _create_persistent(self, path: str) -> None:
        try:
            await self._ask(self._client.create_async, path)
        except NodeExistsError:
            pass

    async def run(self, operations: Sequence[Operation]) -> None:
        """Runs all operations or none."""
        transaction = self._client.transaction()
        for operation in operations:
            operation(transaction)
        # kazoo raises nothing: in the list, a failed operation comes after those that were rolled back.
        for index, result in enumerate(await self._ask(transaction.commit_async)):
            if isinstance(result, Exception) and not isinstance(result, RolledBackError):
                raise FailedOperation(index, result)

    async def ask_leader(self) -> None:
        """A follower that is cut off from the leader answers reads alone, but no transaction."""
        await self.run([check(f'{ROOT}/nodes')])

    async def _read_room(self, key: str) -> RoomState:
        """The bucket first: a deletion that only the second reading sees makes the version of the first one old."""
        bucket = await self.exists(bucket_path(key))
        while bucket is None:
            await self._create_persistent(bucket_path(key))
            bucket = await self.exists(bucket_path(key))
        data, stat = await self.read(room_path(key))
        if stat is None:
            return RoomState(key, bucket.version, None, None)
        return RoomState(key, bucket.version, stat.version, Binding.parse(data))

    async def claim(
            self, first: Sequence[Operation], member: str, replaced: str, claims: Sequence[Claim]) -> list[Claimed]:
        """Claims the rooms that are free, in one transaction with the first operations.

        `replaced` is the node's own earlier registration, which ends in the same transaction, or ''. Raises
        FailedOperation if one of the first operations failed.
        """
        for _ in range(MAX_TRIES):
            wanted = await asyncio.gather(*(self._want(claim, member, replaced) for claim in claims))
            try:
                await self.run([*first, *(operation for _, operations in wanted for operation in operations)])
                return [claimed for claimed, _ in wanted]
            except FailedOperation as failure:
                if failure.index < len(first):
                    raise
                # Another client wrote one of the rooms, so everything is read again.
        raise TimeoutError('the rooms kept changing')

    async def _want(self, claim: Claim, member: str, replaced: str) -> tuple[Claimed, list[Operation]]:
        try:
            room = await self._read_room(claim.key)
        except Unreadable:
            return Claimed('failed'), []
        found = room.binding
        if found is None:
            return Claimed('ok'), write_room(room, Binding(member, 'claimed', claim.number, 0))
        if claim.date <= found.ended_at:
            return Claimed('ended', found.ended_at), []
        if found.is_moved_from(member):
            return Claimed('moved', now_ms()), []
        is_own = found.member == member
        if is_own and found.state == 'released' and claim.number <= found.claims:
            return Claimed('stale', found.ended_at), []
        if found.member not in ('', member, replaced) and await self.exists(node_path(found.member)):
            return Claimed('elsewhere', found.ended_at), []
        if is_own and found.state == 'claimed' and claim.number <= found.claims:
            return Claimed('ok', found.ended_at), confirm_room(room)
        number = max(claim.number, found.claims) if is_own else claim.number
        claimed = replace(found, member=member, state='claimed', claims=number)
        return Claimed('ok', found.ended_at), write_room(room, claimed)

    async def release(self, key: str, member: str, number: int, hear_end: Callable[[str, int], None]) -> None:
        """Releases a room that the last client left, or gives it up if an operator moves it."""
        for _ in range(MAX_TRIES):
            room = await self._read_room(key)
            released = room.binding and room.binding.released(member, number)
            if released is None:
                return
            # A late release may find a room that was opened again before it moves. The node closes it first.
            if released.is_moved_from(member):
                hear_end(key, now_ms())
            try:
                return await self.run(write_room(room, released))
            except FailedOperation:
                pass  # Another client wrote the room, so it is read again.
        raise TimeoutError('the room kept changing')

    async def watch_end(self, key: str, member: str, watcher: Watcher) -> int:
        """Sets a watch on the room, and returns the end of its call, or 0.

        kazoo calls `watcher` in a thread of its own, and holds it once if each reading passes the same object.
        """
        data, _ = await self.read(room_path(key), watcher)
        try:
            found = data and Binding.parse(data)
        except Unreadable:
            return 0
        if not found:
            return 0
        # The node must close a room that moves, so its own clock dates the move.
        return now_ms() if found.is_moved_from(member) else found.ended_at
