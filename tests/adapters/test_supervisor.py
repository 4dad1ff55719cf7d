"""What systemd is told, over a real datagram socket; and that telling never waits and never fails."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.supervisor import Supervisor

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd's sockets are Unix sockets")


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of either kind, as NOTIFY_SOCKET spells it."""
    return str(tmp_path / "notify") if request.param == "path" else f"@spelar-test-{os.getpid()}"


@pytest.fixture
def listening(address: str) -> Iterator[socket.socket]:
    """The other end."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.bind(address.replace("@", "\0", 1))
        listener.settimeout(1)
        yield listener


def heard(listener: socket.socket) -> list[str]:
    """All that has come so far."""
    listener.setblocking(False)
    said = []
    while True:
        try:
            said.append(listener.recv(4096).decode())
        except BlockingIOError:
            return said


def test_it_is_told_that_the_daemon_is_ready_alive_and_stopping(address: str, listening: socket.socket) -> None:
    """A datagram each, to a path and to an abstract name."""
    supervisor = Supervisor.of({"NOTIFY_SOCKET": address})
    supervisor.ready(pings_s=30)
    supervisor.alive()
    supervisor.stopping()
    supervisor.close()
    assert heard(listening) == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize(
    ("usec", "widened"), [("120000000", []), ("10000000", ["WATCHDOG_USEC=60000000"]), ("x", []), ("", [])]
)
def test_a_watchdog_that_is_faster_than_the_ticks_is_widened(
    address: str, listening: socket.socket, usec: str, widened: list[str]
) -> None:
    """A tick every five minutes is no hang."""
    with closing(Supervisor.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": usec})) as supervisor:
        supervisor.ready(pings_s=30)
    assert heard(listening) == ["READY=1", *widened]


@pytest.mark.parametrize("nobody", ["", "/nowhere/at/all", "vsock:1:2", "relative", "@spelar-nobody-listens-here"])
def test_nobody_need_listen(nobody: str) -> None:
    """A terminal, a socket that is gone, an address of another kind."""
    with closing(Supervisor.of({"NOTIFY_SOCKET": nobody})) as supervisor:
        supervisor.ready(pings_s=30)
        supervisor.alive()
    supervisor.alive()


def test_a_supervisor_that_does_not_read_holds_nothing_up(address: str, listening: socket.socket) -> None:
    """Its queue fills, and what does not fit is not told."""
    with closing(Supervisor.of({"NOTIFY_SOCKET": address})) as supervisor:
        for _ in range(2_000):
            supervisor.alive()
    assert 0 < len(heard(listening)) < 2_000
