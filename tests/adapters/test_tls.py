"""Who is not who it says it is gets no question: certificates, names, and hosts that speak no TLS or do not exist."""

import asyncio
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
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


def refusal(base_url: str, trusted: Path | None = None) -> str:
    """The kind under which a call to this address fails, by a client that trusts this certificate; empty when it does not."""

    async def ask() -> str:
        transport = httpx.AsyncHTTPTransport(verify=ssl.create_default_context(cafile=trusted)) if trusted else None
        clock = FakeClock(moment(0))
        client = VenueClient("clob", base_url, clock=clock, health=Health(), timeout_s=5.0, transport=transport)
        try:
            await client.get("/time")
        except Unavailable as refused:
            return refused.kind
        finally:
            await client.aclose()
        return ""

    return asyncio.run(ask())


AUTHORITY = """
[ca]
default_ca = own
[own]
database = {place}/index.txt
new_certs_dir = {place}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = leaf
[any]
commonName = supplied
[leaf]
basicConstraints = CA:TRUE
subjectAltName = DNS:{name}
"""


def made(place: Path, name: str, *, from_year: int = 2020, to_year: int = 2100) -> Path:
    """A certificate that its own key has signed, for these years, and its key."""
    key, request, certificate, config = (place / part for part in ("key.pem", "request.pem", "certificate.pem", "ca.cnf"))
    (place / "index.txt").touch()
    config.write_text(AUTHORITY.format(place=place, name=name))
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    years = ["-startdate", f"{from_year}0101000000Z", "-enddate", f"{to_year}0101000000Z"]
    signing = ["-selfsign", "-config", str(config), "-keyfile", str(key), "-in", str(request), "-out", str(certificate)]
    for command in (
        ["req", "-new", *curve, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request)],
        ["ca", "-batch", "-notext", *signing, *years],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    both = place / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


with_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates with")


@with_openssl
@pytest.mark.parametrize("name", ["localhost", "clob.example"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, name: str) -> None:
    """Whether its name is right or not; the question is never sent."""
    before = Welcoming.asked
    with host(made(tmp_path, name)) as port:
        assert refusal(f"https://localhost:{port}") == "connect_error"
    assert Welcoming.asked == before


@with_openssl
@pytest.mark.parametrize(
    ("name", "from_year", "to_year", "said"),
    [
        ("localhost", 2020, 2100, ""),
        ("localhost", 2020, 2021, "connect_error"),
        ("clob.example", 2020, 2100, "connect_error"),
    ],
    ids=["good", "expired", "of another host"],
)
def test_a_certificate_that_is_vouched_for_must_be_of_this_host_and_of_today(
    tmp_path: Path, name: str, from_year: int, to_year: int, said: str
) -> None:
    """The good one shows that nothing else is amiss."""
    before, certificate = Welcoming.asked, made(tmp_path, name, from_year=from_year, to_year=to_year)
    with host(certificate) as port:
        assert refusal(f"https://localhost:{port}", trusted=certificate) == said
    assert Welcoming.asked == before + (not said)


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
    opened = [re.findall(r"httpx\.(?:Async)?(?:Client|HTTPTransport)\(", text) for text in sources]
    assert sum(map(len, opened)) >= 2
    assert [calls for text, calls in zip(sources, opened, strict=True) if text.count("trust_env=False") < len(calls)] == []
    assert not [
        text for text in sources if re.search(r"^\s*(?:import|from) (?:urllib\.request|http\.client)", text, re.MULTILINE)
    ]
