"""How bytes leave on a connection: at once, or in one of the ways in which hosts and lines fail."""

import socket
import struct
import time
from collections.abc import Callable

from adapters.simulated_venues.wire import Manner

DRIP_S = 0.2
NO_HTTP = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is no HTTP\r\n\r\n"
_HEADERS_END = b"\r\n\r\n"
_ABRUPT = struct.pack("ii", 1, 0)


def deliver(connection: socket.socket, raw: bytes, manner: Manner) -> None:
    """Send a whole response in this manner; whoever calls ends the connection after all manners but WHOLE."""
    _DELIVERIES[manner](connection, raw)


def reset(connection: socket.socket) -> bool:
    """Whether this connection is to end with a reset."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_ABRUPT)) == _ABRUPT


def _whole(connection: socket.socket, raw: bytes) -> None:
    # One send: with headers and body apart, the client's delayed ACK would hold the body back for 40 ms.
    connection.sendall(raw)


def _hang(connection: socket.socket, raw: bytes) -> None:
    """Wait until the client has gone, or this side is hung up."""
    while connection.recv(1 << 16):
        pass


def _drip(connection: socket.socket, raw: bytes) -> None:
    for place in range(len(raw)):
        connection.sendall(raw[place : place + 1])
        time.sleep(DRIP_S)


def _drip_body(connection: socket.socket, raw: bytes) -> None:
    head = raw.index(_HEADERS_END) + len(_HEADERS_END)
    connection.sendall(raw[:head])
    _drip(connection, raw[head:])


def _cut(connection: socket.socket, raw: bytes) -> None:
    head = raw.index(_HEADERS_END) + len(_HEADERS_END)
    connection.sendall(raw[: (head + len(raw)) // 2])


def _nothing(connection: socket.socket, raw: bytes) -> None:
    return


def _reset(connection: socket.socket, raw: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)


def _garbage(connection: socket.socket, raw: bytes) -> None:
    connection.sendall(NO_HTTP)


_DELIVERIES: dict[Manner, Callable[[socket.socket, bytes], None]] = {
    Manner.WHOLE: _whole,
    Manner.HANG: _hang,
    Manner.DRIP_HEADER: _drip,
    Manner.DRIP_BODY: _drip_body,
    Manner.CUT: _cut,
    Manner.CLOSE: _nothing,
    Manner.RESET: _reset,
    Manner.GARBAGE: _garbage,
    Manner.DOWN: _reset,
}
