"""strace, attached to one thread of a child that waits: it shows the system calls from then on, or meddles with them."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ATTACHED_WITHIN_S = 20.0


@cache
def usable() -> bool:
    """Whether strace is there and may trace, which containers often forbid."""
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, "-o", os.devnull, "true"], check=False).returncode == 0


@contextmanager
def attached(thread: int, options: Sequence[str], log: Path) -> Iterator[None]:
    """Trace one thread with these options into `log`; at the end, wait until strace has seen the thread's."""
    command = ["strace", "-qq", "-p", str(thread), "-o", str(log), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            _wait_until_traced(thread, process)
            yield
            process.wait(ATTACHED_WITHIN_S)
        finally:
            process.kill()


def _wait_until_traced(thread: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + ATTACHED_WITHIN_S
    while f"TracerPid:\t{process.pid}\n" not in Path(f"/proc/{thread}/status").read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"strace could not attach: {process.stderr.read() if process.stderr else b''!r}")
        time.sleep(0.001)
