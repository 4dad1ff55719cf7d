"""What systemd is told: that the daemon is ready, that it still ticks, that it is stopping (sd_notify, `Type=notify`).

A datagram each, sent by whoever calls, never by a thread of its own: a loop that hangs must leave the watchdog unfed. Telling
never waits and never fails: a supervisor that does not listen is no reason to stop trading.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

MICROS = 1_000_000


class Supervisor:
    """Whoever listens on NOTIFY_SOCKET: a path, or after an `@` a name without one; nobody where there is no such socket."""

    def __init__(self, address: str = "", *, watchdog_s: float | None = None) -> None:
        """`watchdog_s`: the silence after which the daemon is ended, seconds; None: it is not watched."""
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_s = watchdog_s
        family = getattr(socket, "AF_UNIX", None)
        self._socket = socket.socket(family, socket.SOCK_DGRAM) if family is not None and address[:1] in ("/", "@") else None
        if self._socket is not None:
            self._socket.setblocking(False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """The one that the environment names: NOTIFY_SOCKET, and WATCHDOG_USEC in microseconds."""
        allowed = environment.get("WATCHDOG_USEC", "")
        watchdog_s = int(allowed) / MICROS if allowed.isascii() and allowed.isdigit() else None
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_s=watchdog_s)

    def ready(self, *, pings_s: float) -> None:
        """The daemon is up, and will ping at least every `pings_s` seconds: a watchdog of less than twice that is widened."""
        self._tell("READY=1")
        if self._watchdog_s is not None and self._watchdog_s < 2 * pings_s:
            self._tell(f"WATCHDOG_USEC={round(2 * pings_s * MICROS)}")

    def alive(self) -> None:
        """A tick is done."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The daemon has begun to end."""
        self._tell("STOPPING=1")

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, what: str) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.sendto(what.encode("ascii"), self._address)
