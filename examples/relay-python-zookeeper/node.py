"""Keeps the contract: registration, lease, claims, admission and doors.

`turn` is held by all that writes the registration. Claims and releases do not wait for it: each of their transactions
fails if another one came first, and a claim of an earlier registration admits nobody.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from settings import LINGER, NODE_ID, PATIENCE, SKEW, WSS_URL
from signature import verify
from store import (
    NO_ANSWER, SESSION, Claim, Claimed, FailedOperation, Operation, Store, Unreadable, Watcher,
    check as check_znode, create, delete, id_path, node_path, order_path, room_key, write)
from web_socket import Refused, WebSocket, check

BATCH, MAX_TRIES = 100, 8
SEATS_PER_ROOM, USED_KEPT = 32, 300_000
SUSPEND_SECONDS, TICK_SECONDS = 600, 0.1
CLAIM_AGAIN_MS, MAX_REPORT_MS = 30_000, 3000
UNKNOWN = 'unknown'
MOVED, LEAVING = 'the room moved: ask again', 'the node is leaving: ask again'
Moment = tuple[float, float]


@dataclass(eq=False)
class Room:
    key: str
    watcher: Watcher  # The same one for each reading, since kazoo would call each of several.
    seats: dict[WebSocket, str] = field(default_factory=dict)  # Roles, by the WebSockets of the clients.
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_unread: bool = False  # The room may have changed since it was read for the end of its call.
    claimed_by: str = ''  # The member of the last claim.
    expected: int = 0  # Clients that are about to enter.
    number: int = 0  # Of the last claim. 0: there is none of ours.
    opened_at: int = 0  # 0: not claimed.
    is_door_open: bool = False
    is_open: bool = False  # A client has entered, and the room was not closed since.
    shut_since: float | None = None
    alone_since: float | None = None


def clocks() -> Moment:
    return time.monotonic() * 1000, time.time() * 1000


def age(moment: Moment) -> float:
    """By both clocks: a suspended machine stops the monotonic one, and an operator sets the other."""
    return max(now - then for now, then in zip(clocks(), moment))


class Node:
    def __init__(self) -> None:
        self.store = Store(self._connected, self._lapse)
        self.incarnation, self.pending, self.written = '', secrets.token_urlsafe(16), ''
        self.incarnations: set[str] = set()
        self.started_at, self.number, self.session, self.timeout = 0, 0, 0, SESSION
        self.heard: Moment | None = None
        self.lease_since: Moment | None = None
        self.has_lapsed, self.is_draining, self.is_over = True, False, False
        self.rooms: dict[str, Room] = {}
        self.unreleased: dict[str, Room] = {}
        self.ended: dict[str, int] = {}
        self.used: dict[str, bool] = {}
        self.order, self.empty_at = UNKNOWN, 0
        self.turn, self.hurry = asyncio.Lock(), asyncio.Event()
        self.tasks: set[asyncio.Task] = set()
        self.catching_up: asyncio.Task | None = None

    async def start(self) -> None:
        try:
            await self.store.start()
            await self.store.create_parents()
            async with self.turn:
                await self._register()
        except BaseException:
            # A registration without an answer may have been written.
            await self.leave()
            raise
        self._in_background(self._heartbeats())
        self._in_background(self._watch_doors())

    async def leave(self) -> None:
        self.is_over = True
        try:
            async with asyncio.timeout(SESSION / 1000), self.turn:
                await self._withdraw()
                await self.store.close()
        except (*NO_ANSWER, FailedOperation) as error:
            print('the node could not leave:', repr(error))

    async def _withdraw(self) -> None:
        """The id together with the znode: a node that is missing and keeps its id counts as dead, not as gone."""
        for incarnation in filter(None, (self.incarnation, self.pending)):
            operations = []
            data, stat = await self.store.read(id_path(NODE_ID))
            if data == incarnation.encode():
                operations.append(delete(id_path(NODE_ID), stat.version))
            path = node_path(f'{NODE_ID}|{incarnation}')
            if await self.store.exists(path):
                operations.append(delete(path))
            if operations:
                await self.store.run(operations)

    def _connected(self) -> None:
        # kazoo forgets its watches without a connection, and a change may have been missed.
        for room in self.rooms.values():
            room.is_unread = room.opened_at > 0
        self._in_background(self._read_unread())
        self.hurry.set()

    async def _heartbeats(self) -> None:
        while not self.is_over:
            due = time.monotonic() + self.timeout / 3000
            self.hurry.clear()
            try:
                async with self.turn:
                    await self._beat()
                self._start_to_catch_up()
            except Exception as error:  # Whatever it is: without heartbeats the node serves nobody.
                print('no heartbeat:', repr(error))
                due -= self.timeout / 4000
            try:
                await asyncio.wait_for(self.hurry.wait(), max(0, due - time.monotonic()))
            except TimeoutError:
                pass

    def _start_to_catch_up(self) -> None:
        if self.catching_up is None or self.catching_up.done():
            self.catching_up = self._in_background(self._catch_up())

    async def _catch_up(self) -> None:
        """Work that must not delay the next heartbeat."""
        try:
            await self._read_unread()
            await self._release_all()
            await self._claim_again(False)
            await self._claim_again(True)
        except NO_ANSWER as error:
            print('to be tried again:', repr(error))

    async def _beat(self) -> None:
        if self.is_over:
            return
        await self.store.start()
        # The pending registration may be in the store, and have ended the one before.
        if self.pending:
            return await self._register()
        # A znode of another session vanishes with that session.
        if self.store.session() != self.session:
            return await self._register_anew()
        if self._has_to_empty():
            return await self._empty()
        sent_at, path, record = clocks(), node_path(self._member()), self._record()
        try:
            await self.store.run([check_znode(path) if record == self.written else write(path, record.encode())])
        except FailedOperation:
            return await self._register_anew()
        self.written = record
        self._renew(sent_at)
        order, _ = await self.store.read(order_path(NODE_ID))
        self._hear_order((order or b'').decode())

    def _hear_order(self, order: str) -> None:
        """Follows an operator: no new rooms, and after the deadline of a drain no rooms at all."""
        if order == self.order:
            return
        # A new process has no rooms that would have to leave.
        is_first, self.order = self.order == UNKNOWN, order
        given = json.loads(order or '{}')
        is_drain = given.get('kind') == 'drain' and not is_first
        self.empty_at = given['at'] + given['deadline'] if is_drain else 0
        self.hurry.set()

    def _has_to_empty(self) -> bool:
        # A drain of the program itself ends in a leave for good.
        is_ordered = self.empty_at > 0 and not self.is_draining
        return is_ordered and (self.is_vacant() or time.time() * 1000 >= self.empty_at)

    async def _empty(self) -> None:
        """Leaves first, so that clients that ask again get another node, and returns without rooms."""
        await self._withdraw()
        self.empty_at = 0
        self._lapse()
        self.close_all(LEAVING)
        await self._register()

    async def _register_anew(self) -> None:
        self._lapse()
        await self._register()

    async def _register(self) -> None:
        """Registers a new incarnation, the same one until it is known whether it was written."""
        for _ in range(MAX_TRIES):
            self.pending = self.pending or secrets.token_urlsafe(16)
            await self._refresh()
            sent_at, sent_in, record = clocks(), self.store.session(), self._record()
            data, stat = await self.store.read(id_path(NODE_ID))
            present = (data or b'').decode()
            if present == self.pending and not await self._is_ours(sent_in):
                # The answer was lost, and then the session: another one has to take its place.
                self.incarnation, self.pending = self.pending, ''
                continue
            if self.started_at and present not in ('', self.incarnation, self.pending):
                return self._displaced()
            member, rooms = f'{NODE_ID}|{self.pending}', self._next_batch(False)
            try:
                first = await self._registration(present, None if stat is None else stat.version, record)
                answer = await self.store.claim(
                    first, member, f'{NODE_ID}|{present}' if present else '', self._numbered(rooms, member))
                return self._registered(sent_at, sent_in, record, rooms, answer)
            except FailedOperation as failure:
                # Another process wrote the id, or deleted a parent.
                if failure.is_missing:
                    await self.store.create_parents()
        raise ConnectionError('the node cannot be registered')

    async def _is_ours(self, session: int) -> bool:
        own = await self.store.exists(node_path(f'{NODE_ID}|{self.pending}'))
        return own is not None and own.ephemeralOwner == session

    async def _registration(self, present: str, version: int | None, record: str) -> list[Operation]:
        path, data = node_path(f'{NODE_ID}|{self.pending}'), self.pending.encode()
        if present == self.pending:
            # The answer to an earlier try was lost.
            return [check_znode(path)]
        operations = [create(id_path(NODE_ID), data) if version is None else write(id_path(NODE_ID), data, version)]
        operations.append(create(path, record.encode(), ephemeral=True))
        old = node_path(f'{NODE_ID}|{present}')
        if present and await self.store.exists(old):
            operations.append(delete(old))
        return operations

    async def _refresh(self) -> None:
        """Lets the leader hear of the session: then the registration has a lease, no matter which server dies."""
        self.timeout = self.store.session_timeout()
        if self.session != self.store.session():
            self.session, self.heard, self.lease_since = self.store.session(), None, None
        if self.lease_since is not None and age(self.lease_since) < self.timeout / 3:
            return
        sent_at = clocks()
        await self.store.ask_leader()
        self.heard = self.lease_since = sent_at
        await asyncio.sleep(self._report_ms() / 1000)

    def _report_ms(self) -> float:
        """After so many milliseconds, a follower has told the leader of which sessions it heard."""
        return min(MAX_REPORT_MS, self.timeout / 4)

    def _displaced(self) -> None:
        print('another process has taken the id: this one serves no longer')
        self.is_over = True
        self.close_all(LEAVING)

    def _registered(
            self, sent_at: Moment, sent_in: int, record: str, rooms: list[Room], answer: list[Claimed]) -> None:
        self.incarnation, self.pending = self.pending, ''
        self.session, self.written = sent_in, record
        self.incarnations.add(self.incarnation)
        self.started_at = self.started_at or int(sent_at[1])
        self._renew(sent_at)
        if not self.is_over and self.valid():
            self._settle(rooms, answer, sent_at)

    def _renew(self, sent_at: Moment) -> None:
        """The lease counts from the heartbeat before the last: the server that got the last one may die with it."""
        if self.heard is None:
            self.heard = self.lease_since = sent_at
        if sent_at[0] - self.heard[0] >= self._report_ms():
            self.lease_since, self.heard = self.heard, sent_at
        if self._is_certain():
            self.has_lapsed = False
        oldest = time.time() * 1000 - LINGER - self.timeout
        self.ended = {key: at for key, at in self.ended.items() if at >= oldest}

    def _member(self) -> str:
        return f'{NODE_ID}|{self.incarnation}'

    def _record(self) -> str:
        rooms = sum(room.opened_at > 0 for room in self.rooms.values())
        is_ordered = self.order not in (UNKNOWN, '')
        return json.dumps({'wssUrl': WSS_URL, 'rooms': rooms, 'draining': self.is_draining or is_ordered})

    def valid(self) -> bool:
        """Reads both clocks, since a timer alone fires too late after a pause."""
        if not self.has_lapsed and not self._is_certain():
            self._lapse()
        return not self.has_lapsed

    def _is_certain(self) -> bool:
        return self.lease_since is not None and age(self.lease_since) < self.timeout - min(500, self.timeout / 12)

    def _lapse(self) -> None:
        self.has_lapsed = True
        for room in self.rooms.values():
            room.is_door_open = False

    def _claimed(self, is_door_open: bool) -> list[Room]:
        return [room for room in self.rooms.values() if room.opened_at and room.is_door_open == is_door_open]

    async def _claim_again(self, is_door_open: bool) -> None:
        """Claims the shut rooms, or some open ones in turn."""
        count = len(self._claimed(is_door_open))
        share = -int(-count * self.timeout / 3 // CLAIM_AGAIN_MS) if is_door_open else count
        for _ in range(0, share, BATCH):
            if self.valid():
                await self._claim(self._next_batch(is_door_open))

    def _next_batch(self, is_door_open: bool) -> list[Room]:
        """The rooms that were claimed least recently."""
        batch = self._claimed(is_door_open)[:BATCH]
        for room in batch:
            self.rooms[room.key] = self.rooms.pop(room.key)
        return batch

    def _numbered(self, rooms: Sequence[Room], member: str, date: int | None = None) -> list[Claim]:
        claims = []
        for room in rooms:
            self.number += 1
            room.number, room.claimed_by = self.number, member
            self.unreleased.pop(room.key, None)
            claims.append(Claim(room.key, room.number, date or room.opened_at))
        return claims

    async def _claim(self, rooms: list[Room], date: int | None = None) -> str:
        """Claims in one transaction, which fails if the znode of this registration is gone. Returns the last word."""
        member, sent_at = self._member(), clocks()
        try:
            claims = self._numbered(rooms, member, date)
            answer = await self.store.claim([check_znode(node_path(member))], member, '', claims)
        except FailedOperation:
            self._lapse_of(member)
            return 'lapsed'
        # Meanwhile, the node may have registered anew.
        if member != self._member() or not self.valid():
            return 'lapsed'
        return self._settle(rooms, answer, sent_at)

    def _lapse_of(self, member: str) -> None:
        if member == self._member():
            self._lapse()
        self.hurry.set()

    def _settle(self, rooms: list[Room], answer: list[Claimed], sent_at: Moment) -> str:
        word = 'ok'
        for room, claimed in zip(rooms, answer):
            word = claimed.word
            if word in ('elsewhere', 'ended'):
                room.number = 0
            self._hear_end(room.key, claimed.ended_at)
            # The last client may have left in the meantime.
            if self.rooms.get(room.key) is not room:
                continue
            if word == 'elsewhere':
                self._close(room, MOVED)
            if word == 'ok':
                self._open_door(room, sent_at)
        return word

    def _open_door(self, room: Room, sent_at: Moment) -> None:
        if not room.opened_at:
            room.opened_at, room.is_unread = int(sent_at[1]), True
            self._in_background(self._read_unread())
        room.is_door_open, room.shut_since, room.alone_since = True, None, None
        self._review(room)

    def _changed(self, key: str) -> None:
        room = self.rooms.get(key)
        if room is not None:
            room.is_unread = True
            self._in_background(self._read_unread())

    async def _read_unread(self) -> None:
        """Reads the rooms that may have changed, and watches them. Those without an answer are read again later."""
        unread = [room for room in self.rooms.values() if room.is_unread]
        for start in range(0, len(unread), BATCH):
            await asyncio.gather(*map(self._read_end, unread[start:start + BATCH]))

    async def _read_end(self, room: Room) -> None:
        room.is_unread = False
        try:
            self._hear_end(room.key, await self.store.watch_end(room.key, self._member(), room.watcher))
        except NO_ANSWER:
            room.is_unread = True

    def _hear_end(self, key: str, at: int) -> None:
        if at == 0:
            return
        self.ended[key] = max(at, self.ended.get(key, 0))
        room = self.rooms.get(key)
        # A room that was opened later belongs to the next call.
        if room is not None and 0 < room.opened_at <= at:
            self._close(room, 'the call ended')

    def _new_room(self, key: str) -> Room:
        return Room(key, lambda _event: self.store.in_loop(self._changed, key))

    async def admit(self, signature: str, client: WebSocket) -> Room:
        """Returns the room that the client has entered, or raises Refused."""
        check(not self.is_over, 4410, LEAVING)
        claims = verify(signature, self.incarnation, time.time() * 1000)
        check(claims['jti'] not in self.used, 4408, 'used before')
        key = room_key(claims['tenant'], claims['room'])
        if claims['joinOnly']:
            return self._rejoin(self.rooms.get(key), claims, client)
        room = self.rooms.get(key) or self._new_room(key)
        self.rooms[key] = room
        room.expected += 1
        try:
            return await self._enter(room, claims, client)
        finally:
            room.expected -= 1
            self._review(room)

    async def _enter(self, room: Room, claims: dict[str, Any], client: WebSocket) -> Room:
        check(self.valid(), 4410, 'lapsed')
        if not room.is_door_open:
            date = claims['iat'] * 1000
            check(date > self.ended.get(room.key, 0), 4410, 'the call ended')
            word = await self._claim_by_signature(room, date)
            is_known = word in ('elsewhere', 'ended', 'moved', 'lapsed')
            check(word == 'ok', 4410 if is_known else 4503, f'the store says {word}')
            check(self.valid() and room.is_door_open, 4410, 'lapsed')
        return self._take(room, claims, client)

    async def _claim_by_signature(self, room: Room, date: int) -> str:
        try:
            # Of several clients of a room, the first one claims.
            async with room.claiming:
                return 'ok' if room.is_door_open else await self._claim([room], date)
        except NO_ANSWER as error:
            raise Refused(4503, repr(error)) from None

    def _rejoin(self, room: Room | None, claims: dict[str, Any], client: WebSocket) -> Room:
        is_known = claims.get('inc') in self.incarnations
        margin_ms = -999 if is_known else SKEW * 1000 if claims.get('inc') else 0
        check(claims['iat'] * 1000 >= self.started_at + margin_ms, 4410, 'join-only, from before this process')
        check(room is not None and room.is_open, 4410, 'join-only, and the room is not open')
        return self._take(room, claims, client)

    def _take(self, room: Room, claims: dict[str, Any], client: WebSocket) -> Room:
        check(not self.is_over, 4410, LEAVING)
        check(claims['joinOnly'] or claims['aud'].endswith(f'/{self.incarnation}'), 4410, 'registered anew')
        check(claims['exp'] + SKEW > time.time(), 4401, 'expired')
        check(claims['iat'] * 1000 > self.ended.get(room.key, 0), 4410, 'the call ended')
        check(len(room.seats) < SEATS_PER_ROOM, 4429, 'no seat is free')
        check(claims['jti'] not in self.used, 4408, 'used before')
        self.used[claims['jti']] = True
        if len(self.used) > USED_KEPT:
            del self.used[next(iter(self.used))]
        room.seats[client], room.is_open = claims['role'], True
        return room

    def vacate(self, room: Room, client: WebSocket) -> None:
        if room.seats.pop(client, None):
            self._review(room)

    def is_vacant(self) -> bool:
        return not any(room.seats or room.expected for room in self.rooms.values())

    def close_all(self, reason: str) -> None:
        for room in list(self.rooms.values()):
            self._close(room, reason)

    def _close(self, room: Room, reason: str) -> None:
        room.opened_at, room.is_door_open, room.is_open = 0, False, False
        self._send_away(room, reason)
        self._review(room)

    def _send_away(self, room: Room, reason: str) -> None:
        seats, room.seats = room.seats, {}
        for client in seats:
            client.close(4410, reason)

    def _review(self, room: Room) -> None:
        """Gives up a room that nobody needs. Behind a shut door it stays open for clients that return."""
        is_needed = room.seats or room.expected or (room.is_open and not room.is_door_open)
        if not is_needed and self.rooms.get(room.key) is room:
            del self.rooms[room.key]
            # Once the node has left, nobody regards its claims.
            if room.number > 0 and not self.is_over:
                self.unreleased[room.key] = room
                self._in_background(self._release(room))

    async def _release_all(self) -> None:
        for room in list(self.unreleased.values()):
            await self._release(room)

    async def _release(self, room: Room) -> None:
        """A claim never expires while the node lives, so a release that fails is tried again with each heartbeat."""
        if self.unreleased.get(room.key) is not room:
            return
        del self.unreleased[room.key]
        try:
            await self.store.release(room.key, room.claimed_by, room.number, self._hear_end)
        except Unreadable:
            pass  # There is no claim to give up.
        except NO_ANSWER as error:
            self.unreleased.setdefault(room.key, room)
            print('a room was not released:', repr(error))

    async def _watch_doors(self) -> None:
        while not self.is_over:
            self.valid()
            for room in self._claimed(False):
                self._watch_door(room, time.monotonic())
            await asyncio.sleep(TICK_SECONDS)

    def _watch_door(self, room: Room, now: float) -> None:
        """Behind a shut door, the other side of a lone client may be on another node by now."""
        room.shut_since = room.shut_since or now
        room.alone_since = (room.alone_since or now) if len(set(room.seats.values())) == 1 else None
        if room.alone_since and now - room.alone_since >= PATIENCE / 1000:
            self._send_away(room, 'the other side may be elsewhere: ask again')
        if now - room.shut_since >= SUSPEND_SECONDS:
            self._close(room, 'ZooKeeper was out of reach for too long: ask again')

    def pass_on(self, room: Room, sender: WebSocket, framed: bytes) -> None:
        for client in room.seats:
            if client is not sender:
                client.send(framed)

    def _in_background(self, work: Coroutine) -> asyncio.Task:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
