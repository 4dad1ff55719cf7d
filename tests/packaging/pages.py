"""The portal of what was installed: started as a user does, and compared with the page of the checkout."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
PAGE = tuple(sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*") if path.is_file() and path.parts[-2] != "data"))
"""Every file of the page, the libraries among them where they are laid out."""


@contextmanager
def started(command: Sequence[str], place: Path, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A process at work in a directory; killed at the end if it still runs."""
    env = {**environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=place, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=10)


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
