"""A static server for the portal on this machine: the page from one directory, its data from another if need be.

It knows a handful of file types, lists no directory, follows nothing out of its two roots and changes nothing.
"""

import gzip
import os
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
}
SECURITY_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
"""What a page cannot say of itself in a meta tag; the rest of its policy stands there."""

PACKED = frozenset((".html", ".js", ".css", ".json", ".svg", ".txt", ".md"))
"""What of the page is sent in gzip; its data is read at every tick, mostly on this machine, and is sent as it is."""

IDLE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """Where files come from: `data` serves what lies under `/data/`, None leaves that to `web`."""

    web: Path
    data: Path | None = None

    def file(self, target: str) -> Path | None:
        """The file that a request's target names, None when there is none to show."""
        names = unquote(urlsplit(target).path).removeprefix("/").split("/")
        if names == [""]:
            names = ["index.html"]
        if any(not name or name.startswith(".") or "\\" in name or "\0" in name for name in names):
            return None
        root = self.web
        if names[0] == "data" and self.data is not None:
            root, names = self.data, names[1:]
        path = root.joinpath(*names).resolve()
        return path if path.is_relative_to(root.resolve()) and path.is_file() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A server at work."""

    url: str


@contextmanager
def serve(
    web_root: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    data_dir: Path | None = None,
    now_s: Callable[[], float] = time.time,
) -> Iterator[Serving]:
    """Serve while the block runs; port 0 takes a free one. Raises `OSError` when the address cannot be had.

    `now_s` (UTC seconds) is what `Date` says: the page measures the age of its data by it, and a demo plays in its own time.
    """
    roots = Roots(web=web_root, data=data_dir)
    try:
        server = _Server((host, port), partial(_Exchange, roots, now_s))
    except OSError as error:
        raise OSError(error.errno, f"the portal cannot be served at {host}:{port}: {error.strerror or error}") from error
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.1), name="portal-server", daemon=True)
    thread.start()
    try:
        yield Serving(url=f"http://{host}:{server.server_address[1]}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@lru_cache(maxsize=128)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows this option would let two servers share one port.
    allow_reuse_address = os.name != "nt"

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that went away in the middle of an answer is no news; all else goes where defects of threads are told."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            told = (type(error), error, error.__traceback__, threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(told))


class _Exchange(BaseHTTPRequestHandler):
    """One connection of one reader."""

    protocol_version = "HTTP/1.1"
    server_version = "spelar"
    sys_version = ""
    timeout = IDLE_S

    def __init__(self, roots: Roots, now_s: Callable[[], float], *arguments: object) -> None:
        self.roots, self.now_s = roots, now_s
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send a file."""
        self._answer()

    def do_HEAD(self) -> None:
        """Send a file's headers."""
        self._answer()

    def parse_request(self) -> bool:
        """Take only requests that read."""
        if not super().parse_request():
            return False
        if self.command in ("GET", "HEAD"):
            return True
        # The request's body is not read, so the connection cannot go on.
        self.close_connection = True
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD\n", {"Allow": "GET, HEAD", "Connection": "close"})
        return False

    def _answer(self) -> None:
        found = self._read()
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, b"not found\n", {"Cache-Control": "no-store"})
            return
        path, content, changed_s = found
        is_data = urlsplit(self.path).path.startswith("/data/")
        headers = {
            "Content-Type": CONTENT_TYPES.get(path.suffix.lower(), "application/octet-stream"),
            "Last-Modified": formatdate(changed_s, usegmt=True),
            "Cache-Control": "no-store" if is_data else "no-cache",
        }
        packs = not is_data and path.suffix.lower() in PACKED
        if packs:
            headers["Vary"] = "Accept-Encoding"
        if self._is_known(changed_s):
            self._send(HTTPStatus.NOT_MODIFIED, b"", headers)
        elif packs and self._unpacks():
            self._send(HTTPStatus.OK, _packed(content), headers | {"Content-Encoding": "gzip"})
        else:
            self._send(HTTPStatus.OK, content, headers)

    def _read(self) -> tuple[Path, bytes, int] | None:
        """The file in one go: on Windows an open file could not be replaced."""
        try:
            path = self.roots.file(self.path)
            if path is None:
                return None
            with path.open("rb") as file:
                return path, file.read(), int(os.fstat(file.fileno()).st_mtime)
        except (OSError, ValueError):
            return None

    def _unpacks(self) -> bool:
        """Whether the reader takes gzip; one that weighs it (`q=`) gets the plain file."""
        return "gzip" in (coding.strip() for coding in self.headers.get("Accept-Encoding", "").split(","))

    def _is_known(self, changed_s: int) -> bool:
        """Whether the reader's copy is as new as ours, in whole seconds as HTTP counts."""
        try:
            return changed_s <= parsedate_to_datetime(self.headers.get("If-Modified-Since", "")).timestamp()
        except (TypeError, ValueError, IndexError, OverflowError):
            return False

    def _send(self, status: HTTPStatus, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` of an answer."""
        return formatdate(self.now_s() if timestamp is None else timestamp, usegmt=True)

    def end_headers(self) -> None:
        """Every answer carries the security headers, errors too."""
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the daemon."""
