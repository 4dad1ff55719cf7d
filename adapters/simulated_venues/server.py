"""Both venues on one loopback port, over real HTTP, so that the agent's real adapters can be run against a `Script`.

A response is serialised by one pure function (`serialised`) and written in one place (`_Exchange._deliver`), in the manner
that the script wants.
"""

import contextlib
import socket
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self, cast

from adapters.simulated_venues.delivery import deliver, reset
from adapters.simulated_venues.exchange import unknown_path
from adapters.simulated_venues.http_text import PREFIXES, phrase, request_of, serialised
from adapters.simulated_venues.wire import Answer, Manner, Request, Script

SEEN_LIMIT = 10_000
JOIN_S = 5.0
OUTAGE_S = 1.0
"""How long the host refuses connections after an answer whose manner is DOWN."""


class SimulatedVenues:
    """A context manager that serves `script` at the playing time `now_ms()` (UTC, ms) on a free loopback port.

    Starting binds and listens (OSError when the port is taken); stopping closes every connection and leaves no thread.
    """

    def __init__(self, script: Script, now_ms: Callable[[], int], host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0 takes a free one. Nothing is opened before `start`."""
        self.script = script
        self.now_ms = now_ms
        self._address = (host, port)
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None
        self._away: threading.Thread | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._seen: deque[tuple[str, str, str]] = deque(maxlen=SEEN_LIMIT)
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self.failures: list[BaseException] = []
        """What a script raised while it answered: each cost its client the connection."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Bind, listen and answer; a second call changes nothing. After a stop it is the same port again."""
        if self._listener is None:
            self._stopped.clear()
            self._open()

    def stop(self) -> None:
        """Close the port and every connection, and wait for their threads; a second call changes nothing."""
        self._stopped.set()
        if self._away is not None:
            self._away.join(OUTAGE_S + JOIN_S)
        self._close()

    def leave(self) -> None:
        """End every connection and refuse new ones for `OUTAGE_S` seconds. Returns at once; a second call changes nothing."""
        with self._lock:
            if self._away is None or not self._away.is_alive():
                self._away = threading.Thread(target=self._outage, name="simulated-venues-outage", daemon=True)
                self._away.start()

    def _outage(self) -> None:
        self._close()
        if not self._stopped.wait(OUTAGE_S):
            self._open()

    def _open(self) -> None:
        self._listener = _Listener(self._address, self)
        self._address = (self._address[0], int(self._listener.server_address[1]))
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), name="simulated-venues", daemon=True)
        self._thread.start()

    def _close(self) -> None:
        listener, thread = self._listener, self._thread
        self._listener = self._thread = None
        if listener is None or thread is None:
            return
        listener.shutdown()
        thread.join(JOIN_S)
        listener.server_close()
        listener.hang_up()

    @property
    def origin(self) -> str:
        """As `http://127.0.0.1:PORT`; RuntimeError unless started."""
        if self._listener is None:
            raise RuntimeError("the simulated venues are not started")
        host, port = self._listener.server_address[:2]
        return f"http://{host!s}:{port}"

    def environment(self) -> dict[str, str]:
        """The four base URLs under the names of the agent's settings."""
        return {
            "POLYMARKET_CLOB_BASE_URL": f"{self.origin}/clob",
            "POLYMARKET_GAMMA_BASE_URL": f"{self.origin}/gamma",
            "KRAKEN_SPOT_BASE_URL": f"{self.origin}/kraken/0/public",
            "KRAKEN_FUTURES_BASE_URL": f"{self.origin}/futures",
        }

    @property
    def requests(self) -> list[tuple[str, str, str]]:
        """The newest 10,000 (venue, method, path) in order of arrival; paths are the venue's, without query."""
        with self._lock:
            return list(self._seen)

    def count(self, venue: str, method: str, path: str) -> int:
        """How often this was asked since the first start."""
        with self._lock:
            return self._counts[venue, method, path]

    def response(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str], keep_alive: bool
    ) -> tuple[bytes, Manner]:
        """The whole HTTP response to one request, and how it leaves; noted in `requests`, `target` as on the request line."""
        venue, request = request_of(method, target, body, headers)
        self._note(venue, request)
        now_ms = self.now_ms()
        known = venue in PREFIXES.values()
        answer = self.script.answer(venue, request, now_ms) if known else unknown_path(venue, request.path, now_ms)
        return serialised(answer, now_ms, keep_alive=keep_alive), answer.manner

    def _note(self, venue: str, request: Request) -> None:
        with self._lock:
            self._seen.append((venue, request.method, request.path))
            self._counts[venue, request.method, request.path] += 1


class _Exchange(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._converse()

    def do_POST(self) -> None:
        self._converse()

    def _converse(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            self.close_connection = True
            return self._deliver(serialised(Answer(400, {"error": "Invalid payload"}), 0, keep_alive=False))
        body = self.rfile.read(int(length))
        venues = cast(_Listener, self.server).venues
        return self._deliver(
            *venues.response(self.command, self.path, body, dict(self.headers.items()), not self.close_connection)
        )

    def _deliver(self, raw: bytes, manner: Manner = Manner.WHOLE) -> None:
        if manner is Manner.DOWN:
            cast(_Listener, self.server).venues.leave()
        if manner is not Manner.WHOLE:
            self.close_connection = True
        deliver(self.connection, raw, manner)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no HTTP request is refused like everything else: whole, in one place."""
        self.close_connection = True
        self._deliver(serialised(Answer(code, {"error": message or phrase(code)}), 0, keep_alive=False))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the parent's name
        """Stay quiet: the requests are in `SimulatedVenues.requests`."""


class _Listener(ThreadingHTTPServer):
    """The listening socket, which remembers its connections so that none outlives it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], venues: SimulatedVenues) -> None:
        self.venues = venues
        self._open: dict[threading.Thread, socket.socket] = {}
        self._open_lock = threading.Lock()
        super().__init__(address, _Exchange)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        connection = cast(socket.socket, request)
        thread = threading.Thread(
            target=self._attend, args=(connection, client_address), name="simulated-venues-client", daemon=True
        )
        with self._open_lock:
            self._open[thread] = connection
        thread.start()

    def _attend(self, connection: socket.socket, client_address: object) -> None:
        try:
            self.process_request_thread(connection, client_address)
        finally:
            with self._open_lock:
                self._open.pop(threading.current_thread(), None)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        # The stock version says goodbye first, after which a reset is none.
        connection = cast(socket.socket, request)
        if reset(connection):
            return self.close_request(connection)
        return super().shutdown_request(connection)

    def hang_up(self) -> None:
        """End every open connection and wait for its thread."""
        with self._open_lock:
            still_open = dict(self._open)
        for thread, connection in still_open.items():
            with contextlib.suppress(OSError):  # The client may have been faster.
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(JOIN_S)

    def server_bind(self) -> None:
        # The stock version asks the resolver for the host's full name, which can take seconds without a network.
        # Without the option a port is taken for a minute after its connections ended.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.venues.failures.append(error)
