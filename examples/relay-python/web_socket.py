"""A WebSocket server (RFC 6455), as far as a node needs one."""

import asyncio
import base64
import hashlib
import socket

GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MAX_MESSAGE, MAX_UNSENT = 4 * 1024 * 1024, 16 * 1024 * 1024
HANDSHAKE_SECONDS, CLOSE_SECONDS, SILENT_SECONDS = 10, 5, 60


class Refused(Exception):
    """Has the close code and the reason."""


def check(is_good, code, reason):
    if not is_good:
        raise Refused(code, reason)


async def handshake(reader, writer):
    """Returns the WebSocket and the signature that the client offers, or None if this is no handshake."""
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        head = (await reader.readuntil(b'\r\n\r\n')).decode('latin-1')
    lines = [line.partition(':') for line in head.split('\r\n')[1:]]
    headers = {name.lower(): value.strip() for name, _, value in lines}
    protocol, *others = [word.strip() for word in headers.get('sec-websocket-protocol', '').split(',')]
    key, version = headers.get('sec-websocket-key', ''), headers.get('sec-websocket-version')
    is_upgrade = head.startswith('GET ') and headers.get('upgrade', '').lower() == 'websocket'
    if not is_upgrade or len(key) != 24 or version != '13' or protocol != 'cobrowse.v1':
        writer.write(b'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        return None
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    writer.write(('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                  f'Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n').encode())
    return WebSocket(reader, writer), others[0] if len(others) == 1 else ''


def frame(opcode, data):
    size = len(data)
    width, short = (0, size) if size < 126 else (2, 126) if size < 65_536 else (8, 127)
    return bytes([0x80 | opcode, short]) + (size.to_bytes(width, 'big') if width else b'') + data


def unmask(data, mask):
    # As one large number, since Python is slow with single bytes.
    repeated = (mask * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, 'big') ^ int.from_bytes(repeated, 'big')).to_bytes(len(data), 'big')


class WebSocket:
    def __init__(self, reader, writer):
        self.reader, self.writer, self.is_closing = reader, writer, False
        # A client that has vanished must not keep its seat.
        writer.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        writer.get_extra_info('socket').setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_SECONDS)

    def send(self, framed):
        if not self.is_closing:
            self.writer.write(framed)
        # A client that reads too slowly loses its connection, and nobody waits for it.
        if self.writer.transport.get_write_buffer_size() > MAX_UNSENT:
            self.writer.transport.abort()

    def close(self, code, reason=''):
        self.send(frame(CLOSE, code.to_bytes(2, 'big') + reason.encode()[:120]))
        self.is_closing = True
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.writer.transport.abort)

    async def listen(self, on_message):
        """Calls `on_message` with each message as a frame to send, until the connection is closed."""
        kind, message = CONTINUATION, bytearray()
        while True:
            is_last, opcode, data = await self._frame(MAX_MESSAGE - len(message))
            if opcode == CLOSE:
                return self.close(1000)
            if opcode == PING:
                self.send(frame(PONG, data))
            if opcode >= CLOSE:
                continue
            check((opcode == CONTINUATION) == (kind != CONTINUATION), 1002, 'a fragment out of order')
            kind = kind or opcode
            message += data
            if is_last:
                # Python replaces what is not UTF-8.
                is_good = kind != TEXT or message.decode(errors='replace').encode() == message
                check(is_good, 1007, 'a text that is not UTF-8')
                if not self.is_closing:
                    on_message(frame(kind, message))
                kind, message = CONTINUATION, bytearray()

    async def _frame(self, space):
        first, second = await self.reader.readexactly(2)
        is_last, opcode, size = first >= 0x80, first & 0x0F, second & 0x7F
        is_known = opcode in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG) and not first & 0x70
        check(is_known and second >= 0x80, 1002, 'an unknown frame, or one without a mask')
        check(opcode < CLOSE or (is_last and size < 126), 1002, 'a control frame that is too long or not whole')
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), 'big')
        check(opcode >= CLOSE or size <= space, 1009, 'the message is too long')
        mask = await self.reader.readexactly(4)
        return is_last, opcode, unmask(await self.reader.readexactly(size), mask)

    async def finish(self):
        """Unread data would reset the connection, and the client would not see the close code."""
        async with asyncio.timeout(CLOSE_SECONDS):
            self.writer.write_eof()
            while await self.reader.read(65_536):
                pass
