"""The part of a Redis client that a node needs: scripts, one call at a time."""

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from settings import REDIS_URL, SCRIPTS


class ReplyError(OSError):
    """An error that Redis answered."""


# What a call may raise. It may have been written all the same.
NO_ANSWER = (OSError, EOFError, TimeoutError)


class Redis:
    def __init__(self):
        self.url = urlsplit(REDIS_URL)
        self.scripts = {path.stem: path.read_bytes() for path in Path(SCRIPTS).glob('*.lua')}
        self.connection = None

    async def run(self, name, keys, args):
        text, rest = self.scripts[name], [len(keys), *keys, *args]
        try:
            if self.connection is None or self.connection[0].at_eof():
                await self._connect()
            try:
                return await self._call('EVALSHA', hashlib.sha1(text).hexdigest(), *rest)
            except ReplyError as error:
                if 'NOSCRIPT' not in str(error):
                    raise
                return await self._call('EVAL', text, *rest)
        except BaseException:
            # An answer that comes later must not be taken for that of the next call.
            self._disconnect()
            raise

    def _disconnect(self):
        if self.connection is not None:
            self.connection[1].close()
        self.connection = None

    async def _connect(self):
        self._disconnect()
        self.connection = await asyncio.open_connection(self.url.hostname, self.url.port or 6379)
        if self.url.password:
            await self._call('AUTH', unquote(self.url.username or 'default'), unquote(self.url.password))

    async def _call(self, *words):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        command = b''.join(b'$%d\r\n%b\r\n' % (len(part), part) for part in parts)
        self.connection[1].write(b'*%d\r\n' % len(parts) + command)
        return await self._answer(self.connection[0])

    async def _answer(self, reader):
        line = (await reader.readuntil(b'\r\n')).decode()
        kind, rest = line[0], line[1:-2]
        if kind == '-':
            raise ReplyError(rest)
        if kind == '*':
            return [await self._answer(reader) for _ in range(int(rest))]
        if kind == '$':
            return (await reader.readexactly(int(rest) + 2))[:-2].decode()
        return int(rest) if kind == ':' else rest
