"""The portal's own server, over real HTTP: the right types, the right headers, and nothing outside its two roots."""

import http.client
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from adapters.portal_server import serve

WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    """A page, its data elsewhere, and a ledger that nobody may read."""
    web, data = tmp_path / "web", tmp_path / "out"
    for directory in (web / "app", web / "data", data):
        directory.mkdir(parents=True)
    (web / "index.html").write_text("<!doctype html><title>å</title>", encoding="utf-8")
    (web / "app" / "page.js").write_text("'use strict';")
    (web / "app" / "page.css").write_text("body{}")
    (web / "data" / "manifest.json").write_text('{"tick":1}')
    (web / "unknown.bin").write_bytes(b"\0\1")
    (data / "manifest.json").write_text('{"tick":2}')
    (data / "pm_prices.csv").write_text("ts\n")
    (data / ".pm_prices.csv.tmp").write_text("half")
    (tmp_path / "ledger.sqlite").write_text("secret")
    return web, data


@pytest.fixture
def client(roots: tuple[Path, Path]) -> Iterator[httpx.Client]:
    """A reader of the page with data from elsewhere."""
    web, data = roots
    with serve(web, "127.0.0.1", 0, data_dir=data) as portal, httpx.Client(base_url=portal.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app/page.js", "text/javascript; charset=utf-8"),
        ("/app/page.js?v=3", "text/javascript; charset=utf-8"),
        ("/app/page.css", "text/css; charset=utf-8"),
        ("/data/manifest.json", "application/json; charset=utf-8"),
        ("/data/pm_prices.csv", "text/csv; charset=utf-8"),
        ("/unknown.bin", "application/octet-stream"),
    ],
)
def test_files_are_what_they_are_called(client: httpx.Client, path: str, content_type: str) -> None:
    """A browser with nosniff believes the type, so the type must be right."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.headers["cache-control"] == ("no-store" if path.startswith("/data/") else "no-cache")
    assert answer.headers["date"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/nothing"), ("POST", "/"), ("BREW", "/")])
def test_every_answer_carries_the_security_headers(client: httpx.Client, method: str, path: str) -> None:
    """What a meta tag cannot say, and on errors too."""
    headers = client.request(method, path).headers
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_data_comes_from_the_data_directory(client: httpx.Client, roots: tuple[Path, Path]) -> None:
    """`/data/` is the agent's directory when one is named, the page's own otherwise."""
    assert client.get("/data/manifest.json").json() == {"tick": 2}
    with serve(roots[0]) as portal:
        assert httpx.get(f"{portal.url}/data/manifest.json", trust_env=False).json() == {"tick": 1}


@pytest.mark.parametrize(
    "target",
    [
        "/../ledger.sqlite",
        "/app/../../ledger.sqlite",
        "/%2e%2e/ledger.sqlite",
        "/data/../../ledger.sqlite",
        "/data/..%2fledger.sqlite",
        "/data%2f..%2f..%2fledger.sqlite",
        "//ledger.sqlite",
        "/..\\ledger.sqlite",
        "/app/link.txt",
        "/data/.pm_prices.csv.tmp",
        "/app",
        "/app/",
        "/data",
        "/data/",
        "/index.html/",
        "/index.html%00.js",
        "/%ff",
        "http://[",
        "*",
    ],
)
def test_nothing_else_can_be_read(client: httpx.Client, roots: tuple[Path, Path], target: str) -> None:
    """No way out of the roots, no listing, no hidden file: all of them are simply not found."""
    (roots[0] / "app" / "link.txt").symlink_to(roots[0].parent / "ledger.sqlite")
    address = urlsplit(str(client.base_url)).netloc
    connection = http.client.HTTPConnection(address)
    connection.putrequest("GET", target, skip_host=True)
    connection.putheader("Host", address)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"secret" not in answer.read()
    connection.close()


def test_a_known_file_is_not_sent_again(client: httpx.Client, roots: tuple[Path, Path]) -> None:
    """304 without a body while the file is as old as the reader's copy, the file when it is newer."""
    path = roots[1] / "manifest.json"
    os.utime(path, (1_000_000_000, 1_000_000_000.5))
    known = client.get("/data/manifest.json").headers["last-modified"]
    assert known == "Sun, 09 Sep 2001 01:46:40 GMT"
    again = client.get("/data/manifest.json", headers={"If-Modified-Since": known})
    assert (again.status_code, again.content) == (304, b"")
    os.utime(path, (1_000_000_001, 1_000_000_001))
    assert client.get("/data/manifest.json", headers={"If-Modified-Since": known}).status_code == 200


@pytest.mark.parametrize(("accepted", "packed"), [("gzip, deflate", True), ("br", False), ("gzip;q=0", False), ("", False)])
def test_the_page_is_packed_for_whoever_can_unpack_it(
    client: httpx.Client, roots: tuple[Path, Path], accepted: str, packed: bool
) -> None:
    """Scripts shrink to a third; data is not packed, because it is read at every tick on the same machine."""
    script = "'use strict';" + "const spelar = 1;" * 200
    (roots[0] / "app" / "page.js").write_text(script)
    answer = client.get("/app/page.js", headers={"Accept-Encoding": accepted})
    assert answer.text == script
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert ("Content-Encoding" in answer.headers) is packed
    assert (int(answer.headers["Content-Length"]) < len(script) / 3) is packed
    (roots[1] / "pm_prices.csv").write_text("ts\n" * 1000)
    assert "Content-Encoding" not in client.get("/data/pm_prices.csv", headers={"Accept-Encoding": accepted}).headers


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Sep 2001 01:46:40 GMT"])
def test_a_date_that_is_none_is_ignored(client: httpx.Client, date: str) -> None:
    """A reader who says nonsense gets the file."""
    assert client.get("/data/manifest.json", headers={"If-Modified-Since": date}).status_code == 200


def test_head_tells_the_size_and_sends_nothing(client: httpx.Client) -> None:
    """HEAD is GET without the body."""
    answer = client.head("/data/manifest.json")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "10", b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading_is_allowed(client: httpx.Client, method: str) -> None:
    """Nothing can be changed through the portal."""
    answer = client.request(method, "/data/manifest.json", content=b"x" * 100)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert client.get("/data/manifest.json").status_code == 200


def test_a_taken_port_is_said_clearly(roots: tuple[Path, Path]) -> None:
    """The error names the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"), serve(roots[0], "127.0.0.1", port):
            pass


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() -> None:
    """The page as it stands: policy first in the head, our own scripts and style, text only."""
    page = (WEB / "index.html").read_text(encoding="utf-8")
    scripts = {path.name: path.read_text(encoding="utf-8") for path in sorted((WEB / "app").glob("*.js"))}
    head = page[page.index("<head>") + len("<head>") :].lstrip()
    assert head.startswith('<meta http-equiv="Content-Security-Policy"')
    assert "http://" not in page
    assert "https://" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert " on" not in "".join(tag for tag in page.split("<") if "=" in tag and tag.startswith("body"))
    loaded = re.findall(r'<script src="(?:app|vendor)/([\w.-]+)\?v=\w+" defer></script>', page)
    assert page.count("<script") == len(loaded)
    assert {name for name in loaded if (WEB / "app" / name).exists()} == set(scripts)
    for name, script in scripts.items():
        assert "innerHTML" not in script, name


def test_the_pages_edition_is_the_same_everywhere() -> None:
    """An old tab compares the page's own edition with the file's; every asset carries it."""
    page = (WEB / "index.html").read_text(encoding="utf-8")
    version = json.loads((WEB / "version.json").read_bytes())["version"]
    assert f'data-version="{version}"' in page
    assert set(re.findall(r"\?v=(\w+)", page)) == {version}
