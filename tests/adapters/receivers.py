"""A receiver of notifications on loopback: what Apprise's `json://` sends to, dead, hanging or well."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(ThreadingHTTPServer):
    """Keeps every message that is posted to it; answers with `status`."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Post)
        self.status = status
        self.messages: list[Mapping[str, str]] = []

    @property
    def url(self) -> str:
        """Its address, as NOTIFY_URLS has it."""
        return f"json://127.0.0.1:{self.server_port}/"


class _Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Take a message."""
        self.server.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def receiving(status: int = 200) -> Iterator[Receiver]:
    """One that runs until the end."""
    with Receiver(status) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


@contextmanager
def hanging() -> Iterator[str]:
    """The address of one that takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=50)) as silent:
        yield f"json://127.0.0.1:{silent.getsockname()[1]}/"


def dead() -> str:
    """The address of one where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        return f"json://127.0.0.1:{gone.getsockname()[1]}/"
