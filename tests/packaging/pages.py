"""The portal of what was installed: started as a user does, and compared with the page of the checkout."""

import re
import subprocess
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
PAGE = tuple(sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*") if path.is_file() and path.parts[-2] != "data"))
"""Every file of the page, the libraries among them where they are laid out."""


def address(process: "subprocess.Popen[str]") -> str:
    """Where a process that has just been started serves the portal: it says so in its first line."""
    assert process.stdout is not None
    found = re.match(r"Portal: (http://127\.0\.0\.1:\d+)/", process.stdout.readline())
    assert found
    return found[1]


def differing(url: str) -> list[str]:
    """The files of the page that are not served as they lie in the checkout."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        return [name for name in PAGE if client.get(f"/{name}").content != (WEB / name).read_bytes()]
