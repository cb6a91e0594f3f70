"""Keeps the contract: registration, lease, claims, admission and doors."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis_client import NO_ANSWER, Redis
from settings import HEARTBEAT, LEASE, LINGER, NODE_ID, PATIENCE, SKEW, WSS_URL
from signature import verify
from web_socket import Refused, check

COMMON_KEYS = [f'{{cobrowse}}:{name}' for name in ('leases', 'nodes', 'meta', 'ids', 'releases', 'ended', 'orders',
                                                    'history')]
ROOM_KEY = '{cobrowse}:room:'
BY_SIGNATURE, BEHIND_SHUT_DOOR, OPEN = 0, 1, 2
CALL_MS, CLAIM_MS = min(1000, LEASE / 2), max(90_000, LEASE + 60_000)
BATCH, MAX_TRIES = 250, 6
SEATS_PER_ROOM, USED_KEPT = 32, 300_000
SUSPEND_SECONDS, TICK_SECONDS = 600, 0.1
UNKNOWN = 'unknown'
MOVED, LEAVING = 'the room moved: ask again', 'the node is leaving: ask again'


@dataclass(eq=False)
class Room:
    key: str
    seats: dict = field(default_factory=dict)  # Roles, by the WebSockets of the clients.
    expected: int = 0  # Clients that are about to enter.
    number: int = 0  # Of the last claim. 0: the store has none of ours.
    opened_at: int = 0  # By the store's clock. 0: not claimed.
    is_door_open: bool = False
    is_open: bool = False  # A client has entered, and the room was not closed since.
    shut_since: float | None = None
    alone_since: float | None = None


def room_key(tenant, room):
    text = b''.join(b'%d:%b' % (len(name), name) for name in (tenant.encode(), room.encode()))
    return ROOM_KEY + base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip('=')


def clocks():
    return time.monotonic() * 1000, time.time() * 1000


def age(moment):
    """By both clocks: a suspended machine stops the monotonic one, and an operator sets the other."""
    return max(now - then for now, then in zip(clocks(), moment))


class Node:
    def __init__(self):
        self.redis = Redis()
        self.epoch = self.memory = self.incarnation = ''
        self.pending = secrets.token_urlsafe(16)
        self.incarnations, self.started_at = set(), None
        self.lease_sent_at, self.store_time, self.store_sent_at = None, 0, clocks()
        self.rooms, self.ended, self.heard, self.number = {}, {}, [], 0
        self.used, self.is_draining, self.is_over = {}, False, False
        self.order, self.empty_at = UNKNOWN, None
        self.lock, self.hurry, self.tasks = asyncio.Lock(), asyncio.Event(), set()

    async def start(self):
        try:
            async with self._turn():
                await self._register()
        except BaseException:
            # A registration without an answer may have been written.
            await self.leave()
            raise
        self._in_background(self._heartbeats())
        self._in_background(self._watch_doors())

    async def leave(self):
        self.is_over = True
        try:
            async with self._turn():
                members = [self._member(name) for name in (self.incarnation, self.pending) if name]
                await self._run('leave', [], *members)
        except NO_ANSWER as error:
            print('the node could not leave:', repr(error))

    @asynccontextmanager
    async def _turn(self):
        """One after the other, and in limited time: each answer is taken before the next call is made."""
        async with asyncio.timeout(CALL_MS / 1000), self.lock:
            yield

    async def _run(self, script, rooms, *args, epoch=None):
        known = f'{self.epoch if epoch is None else epoch} {self.memory}'.rstrip()
        keys = [*COMMON_KEYS, *(room.key for room in rooms)]
        answer = await self.redis.run(script, keys, [known, secrets.token_urlsafe(16), LEASE, HEARTBEAT, LINGER, *args])
        if isinstance(answer, list) and answer[0] == 'ok':
            self.memory = answer[4]
        return answer

    async def _heartbeats(self):
        while not self.is_over:
            due = time.monotonic() + HEARTBEAT / 1000
            try:
                async with self._turn():
                    await self._beat()
                await self._claim_again(False)
                await self._claim_again(True)
            except Exception as error:  # Whatever it is: without heartbeats the node serves nobody.
                print('no heartbeat:', repr(error))
                due -= HEARTBEAT / 1000 * 0.75
            try:
                await asyncio.wait_for(self.hurry.wait(), max(0, due - time.monotonic()))
            except TimeoutError:
                pass
            self.hurry.clear()

    async def _beat(self):
        if self.is_over:
            return
        # The pending registration may be in the store, and have ended the lease of the one before.
        if self.pending:
            return await self._register()
        if self._has_to_empty():
            return await self._empty()
        sent_at = clocks()
        word, *rest = await self._run(
            'beat', [], self._member(), self._record(), CLAIM_MS, BEHIND_SHUT_DOOR, *self.heard)
        if word == 'ok':
            return self._accept(sent_at, [], *rest)
        if word == 'lapsed':
            self._lapse()
        await self._register(*rest)

    def _has_to_empty(self):
        # A drain of the program itself ends in a leave for good.
        is_ordered = self.empty_at is not None and not self.is_draining
        return is_ordered and (self.now() >= self.empty_at or self.is_vacant())

    async def _empty(self):
        """Leaves first, so that clients that ask again get another node, and returns without rooms."""
        await self._run('leave', [], self._member())
        self.empty_at = None
        self._lapse()
        self.close_all(LEAVING)
        await self._register()

    async def _register(self, epoch=None):
        """Registers the same incarnation while its lease is valid, in a new epoch; otherwise another one."""
        epoch, replaces = epoch or self.epoch, self.incarnation
        for _ in range(MAX_TRIES):
            is_valid = self.valid()
            if not is_valid:
                self.pending = self.pending or secrets.token_urlsafe(16)
            tried, rooms = self.pending or self.incarnation, self._next_batch(is_valid)
            sent_at = clocks()
            word, *rest = await self._run(
                'register', rooms, self._member(tried), self._record(), CLAIM_MS,
                OPEN if is_valid else BEHIND_SHUT_DOOR, replaces, *self._numbered(rooms), epoch=epoch)
            if word == 'ok':
                self.epoch, self.incarnation, self.pending = epoch, tried, None
                self.incarnations.add(tried)
                self.started_at = self.started_at or rest[0]
                return self._accept(sent_at, rooms, *rest)
            if word == 'epoch':
                epoch = rest[0]
            elif word == 'lapsed':
                self._lapse()
                replaces, self.incarnation, self.pending = tried, tried, None
            elif self.started_at is None or rest[0] == '':
                replaces = rest[0]
            else:
                print('another process has taken the id: this one serves no longer')
                self.is_over = True
                return self.close_all(LEAVING)
        raise ConnectionError('the node cannot be registered')

    def _accept(self, sent_at, rooms, now, ends, claims, _memory, order):
        self._redate(now)
        self.store_time, self.store_sent_at = now, sent_at
        if self._is_certain(sent_at):
            self.lease_sent_at = sent_at
        if self.is_over or not self.valid():
            return
        self._hear_order(order)
        self.heard = ends
        for name, at in zip(ends[::2], ends[1::2]):
            self._hear_end(ROOM_KEY + name, int(at))
        self._settle(rooms, now, claims)
        # A room that an operator moves waits for the acknowledgement.
        if ends:
            self.hurry.set()

    def _hear_order(self, order):
        """Follows an operator: no new rooms, and after the deadline of a drain no rooms at all."""
        if order == self.order:
            return
        # A new process has no rooms that would have to leave.
        is_first, self.order = self.order == UNKNOWN, order
        given = json.loads(order or '{}')
        is_drain = given.get('kind') == 'drain' and not is_first
        self.empty_at = given['at'] + given['deadline'] if is_drain else None
        self.hurry.set()

    def _member(self, incarnation=None):
        return f'{NODE_ID}|{incarnation or self.incarnation}'

    def _record(self):
        rooms = sum(room.opened_at > 0 for room in self.rooms.values())
        is_ordered = self.order not in (UNKNOWN, '')
        return json.dumps({'wssUrl': WSS_URL, 'rooms': rooms, 'draining': self.is_draining or is_ordered})

    def valid(self):
        """Reads both clocks, since a timer alone fires too late after a pause."""
        if self.lease_sent_at is not None and not self._is_certain(self.lease_sent_at):
            self._lapse()
        return self.lease_sent_at is not None

    def _is_certain(self, sent_at):
        return age(sent_at) < LEASE - min(500, LEASE / 12)

    def _lapse(self):
        self.lease_sent_at = None
        for room in self.rooms.values():
            room.is_door_open = False

    def now(self):
        """Milliseconds, by the store's clock."""
        return self.store_time + age(self.store_sent_at)

    def _redate(self, now):
        """Replaces dates in the future, since the store's clock was set back, and forgets ends that are too old."""
        previous = int(now - age(self.store_sent_at))
        for room in self.rooms.values():
            room.opened_at = previous if room.opened_at > now + HEARTBEAT else room.opened_at
        latest, oldest = now + LINGER, now - LINGER - LEASE
        self.ended = {key: previous if at > latest else at for key, at in self.ended.items() if at >= oldest}

    def _claimed(self, is_door_open):
        return [room for room in self.rooms.values() if room.opened_at and room.is_door_open == is_door_open]

    def _next_batch(self, is_door_open):
        """The rooms that were claimed least recently."""
        batch = self._claimed(is_door_open)[:BATCH]
        for room in batch:
            self.rooms[room.key] = self.rooms.pop(room.key)
        return batch

    def _numbered(self, rooms, date=None):
        parts = []
        for room in rooms:
            self.number = room.number = self.number + 1
            parts += (room.number, date or room.opened_at)
        return parts

    async def _claim(self, rooms, kind, date=None):
        """Returns the words of the store: one for each room, or one in all."""
        word, *rest = await self._run(
            'claim-rooms', rooms, self._member(), CLAIM_MS, kind, *self._numbered(rooms, date))
        if word != 'ok' or not self.valid():
            return [word if word != 'ok' else 'lapsed']
        return self._settle(rooms, rest[0], rest[2])

    def _settle(self, rooms, now, claims):
        words = claims[::2]
        for room, word, ended_at in zip(rooms, words, claims[1::2]):
            if word in ('elsewhere', 'ended'):
                room.number = 0
            self._hear_end(room.key, int(ended_at))
            # The last client may have left in the meantime.
            if self.rooms.get(room.key) is not room:
                continue
            if word == 'ok':
                room.opened_at, room.is_door_open = room.opened_at or now, True
                room.shut_since = room.alone_since = None
                self._review(room)
            elif word == 'elsewhere':
                self._close(room, MOVED)
        return words

    def _hear_end(self, key, at):
        if at == 0:
            return
        self.ended[key] = max(at, self.ended.get(key, 0))
        room = self.rooms.get(key)
        # A room that was opened later belongs to the next call.
        if room is not None and 0 < room.opened_at <= at:
            self._close(room, 'the call ended')

    async def _claim_again(self, is_door_open):
        """Claims the shut rooms, or some open ones in turn, since the store may have lost their bindings."""
        count = len(self._claimed(is_door_open))
        share = min(count, max(BATCH, count // 3 + 1)) if is_door_open else count
        for _ in range(0, share, BATCH):
            async with self._turn():
                batch = self._next_batch(is_door_open)
                if batch and self.valid():
                    await self._claim(batch, OPEN if is_door_open else BEHIND_SHUT_DOOR)

    async def admit(self, signature, client):
        """Returns the room that the client has entered, or raises Refused."""
        check(not self.is_over, 4410, LEAVING)
        claims = verify(signature, self.incarnation, self.now())
        check(claims['jti'] not in self.used, 4408, 'used before')
        key = room_key(claims['tenant'], claims['room'])
        if claims['joinOnly']:
            return self._rejoin(self.rooms.get(key), claims, client)
        room = self.rooms.setdefault(key, Room(key))
        room.expected += 1
        try:
            return await self._enter(room, claims, client)
        finally:
            room.expected -= 1
            self._review(room)

    async def _enter(self, room, claims, client):
        date = claims['iat'] * 1000
        for _ in range(MAX_TRIES):
            check(self.valid(), 4410, 'lapsed')
            if room.is_door_open:
                return self._take(room, claims, client)
            check(date > self.ended.get(room.key, 0), 4410, 'the call ended')
            word = await self._claim_by_signature(room, date)
            is_known = word in ('elsewhere', 'ended', 'lapsed')
            check(word in ('ok', 'epoch'), 4410 if is_known else 4503, f'the store says {word}')
        raise Refused(4503, 'the store says epoch again and again')

    async def _claim_by_signature(self, room, date):
        try:
            async with self._turn():
                if room.is_door_open:
                    return 'ok'
                [word] = await self._claim([room], BY_SIGNATURE, date)
                if word == 'epoch':
                    await self._beat()
        except NO_ANSWER as error:
            raise Refused(4503, repr(error)) from None
        if word == 'lapsed':
            self._lapse()
            self.hurry.set()
        return word

    def _rejoin(self, room, claims, client):
        is_known = claims.get('inc') in self.incarnations
        margin_ms = -999 if is_known else SKEW * 1000 if claims.get('inc') else 0
        check(claims['iat'] * 1000 >= self.started_at + margin_ms, 4410, 'join-only, from before this process')
        check(room is not None and room.is_open, 4410, 'join-only, and the room is not open')
        return self._take(room, claims, client)

    def _take(self, room, claims, client):
        check(not self.is_over, 4410, LEAVING)
        check(claims['joinOnly'] or claims['aud'].endswith(f'/{self.incarnation}'), 4410, 'registered anew')
        check(claims['exp'] + SKEW > self.now() / 1000, 4401, 'expired')
        check(claims['iat'] * 1000 > self.ended.get(room.key, 0), 4410, 'the call ended')
        check(len(room.seats) < SEATS_PER_ROOM, 4429, 'no seat is free')
        check(claims['jti'] not in self.used, 4408, 'used before')
        self.used[claims['jti']] = True
        if len(self.used) > USED_KEPT:
            del self.used[next(iter(self.used))]
        room.seats[client], room.is_open = claims['role'], True
        return room

    def vacate(self, room, client):
        if room.seats.pop(client, None):
            self._review(room)

    def is_vacant(self):
        return not any(room.seats or room.expected for room in self.rooms.values())

    def close_all(self, reason):
        for room in list(self.rooms.values()):
            self._close(room, reason)

    def _close(self, room, reason):
        room.opened_at, room.is_door_open, room.is_open = 0, False, False
        self._send_away(room, reason)
        self._review(room)

    def _send_away(self, room, reason):
        seats, room.seats = room.seats, {}
        for client in seats:
            client.close(4410, reason)

    def _review(self, room):
        """Gives up a room that nobody needs. Behind a shut door it stays open for clients that return."""
        is_needed = room.seats or room.expected or (room.is_open and not room.is_door_open)
        if not is_needed and self.rooms.get(room.key) is room:
            del self.rooms[room.key]
            if room.number > 0:
                self._in_background(self._release(room))

    async def _release(self, room):
        try:
            async with self._turn():
                await self._run('release', [room], self._member(), room.number)
        except NO_ANSWER as error:
            print('a room was not released, so its claim has to expire:', repr(error))

    async def _watch_doors(self):
        while not self.is_over:
            self.valid()
            for room in self._claimed(False):
                self._watch_door(room, time.monotonic())
            await asyncio.sleep(TICK_SECONDS)

    def _watch_door(self, room, now):
        """Behind a shut door, the other side of a lone client may be on another node by now."""
        room.shut_since = room.shut_since or now
        room.alone_since = (room.alone_since or now) if len(set(room.seats.values())) == 1 else None
        if room.alone_since and now - room.alone_since >= PATIENCE / 1000:
            self._send_away(room, 'the other side may be elsewhere: ask again')
        if now - room.shut_since >= SUSPEND_SECONDS:
            self._close(room, 'the store was out of reach for too long: ask again')

    def pass_on(self, room, sender, framed):
        for client in room.seats:
            if client is not sender:
                client.send(framed)

    def _in_background(self, work):
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
