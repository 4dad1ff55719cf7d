"""An ssh server on loopback whose users land in a directory of their own, and a client that knows its key."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

SSHD = "/usr/sbin/sshd"
SERVER = """
ListenAddress 127.0.0.1
Port {port}
HostKey {place}/host
PidFile none
AuthorizedKeysFile {place}/client.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
Subsystem sftp internal-sftp
ChrootDirectory {root}
"""
CLIENT = """
IdentityFile {place}/client
IdentitiesOnly yes
UserKnownHostsFile {place}/known
GlobalKnownHostsFile /dev/null
"""


@contextmanager
def ssh_server(place: Path, root: Path) -> Iterator[int]:
    """The port of a server whose users land in `root`; `place` gets the keys, and `config` for ssh. Skips without a server."""
    if not Path(SSHD).exists() or shutil.which("sftp") is None:
        pytest.skip("no ssh server (Debian: apt install openssh-server)")
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / name)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    (place / "sshd_config").write_text(SERVER.format(port=port, place=place, root=root), encoding="utf-8")
    (place / "config").write_text(CLIENT.format(place=place), encoding="utf-8")
    know(place, port)
    command = [SSHD, "-D", "-e", "-f", str(place / "sshd_config")]
    with subprocess.Popen(command, stderr=(place / "log").open("wb"), env={"PATH": os.environ["PATH"]}) as server:
        try:
            _wait(port)
            yield port
        finally:
            server.terminate()


def know(place: Path, port: int) -> None:
    """Let the client know the server's key, as a person who has compared it does."""
    key = (place / "host.pub").read_text(encoding="utf-8")
    (place / "known").write_text(f"[127.0.0.1]:{port} {key}", encoding="utf-8")


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the ssh server did not start")
