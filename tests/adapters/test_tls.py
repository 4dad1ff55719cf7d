"""Who is not who it says it is gets no question: certificates, names, and hosts that speak no TLS or do not exist."""

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.health import Health
from adapters.http import VenueClient
from domain.ports import Unavailable
from tests.builders import moment
from tests.fakes import FakeClock

ROOT = Path(__file__).resolve().parents[2]


class Welcoming(BaseHTTPRequestHandler):
    """Answers whoever gets as far as asking, and counts them."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the parent's name
        """Stay quiet."""


class Quiet(HTTPServer):
    """A server that says nothing of handshakes that failed."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""


@contextmanager
def host(certificate: Path | None) -> Iterator[int]:
    """A host on loopback, with this certificate (and its key) or without TLS; its port."""
    server = Quiet(("127.0.0.1", 0), Welcoming)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def refusal(base_url: str) -> str:
    """The kind under which a call to this address fails."""

    async def ask() -> str:
        client = VenueClient("clob", base_url, clock=FakeClock(moment(0)), health=Health(), timeout_s=5.0)
        try:
            with pytest.raises(Unavailable) as refused:
                await client.get("/time")
            return refused.value.kind
        finally:
            await client.aclose()

    return asyncio.run(ask())


def made(place: Path, name: str, days: str) -> Path:
    """A certificate that its own key has signed, for so many days."""
    key, certificate = place / "key.pem", place / "certificate.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *subject]
    subprocess.run([*command, "-days", days, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    both = place / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates with")
@pytest.mark.parametrize("name", ["localhost", "clob.example"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, name: str) -> None:
    """Whether its name is right or not; the question is never sent."""
    before = Welcoming.asked
    with host(made(tmp_path, name, "2")) as port:
        assert refusal(f"https://localhost:{port}") == "connect_error"
    assert Welcoming.asked == before


def test_plain_http_where_tls_should_be_is_refused() -> None:
    """A captive portal."""
    with host(None) as port:
        assert refusal(f"https://localhost:{port}") == "connect_error"


def test_a_host_that_there_is_not_is_a_connect_error() -> None:
    """DNS knows no name under `.invalid`."""
    assert refusal("https://clob.spelar.invalid") == "connect_error"


def test_nothing_ever_asks_for_less_than_a_verified_host() -> None:
    """Nor takes a proxy from the environment."""
    sources = [
        path.read_text(encoding="utf-8") for layer in ("adapters", "entrypoints") for path in (ROOT / layer).rglob("*.py")
    ]
    assert not [text for text in sources if "verify=False" in text or "CERT_NONE" in text]
    opened = [text for text in sources if "httpx.AsyncClient(" in text or "httpx.AsyncHTTPTransport(" in text]
    assert len(opened) >= 2
    assert all("trust_env=False" in text for text in opened)
