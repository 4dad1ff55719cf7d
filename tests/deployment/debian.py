"""A small Debian in a directory, to install into: made once with debootstrap, kept outside the project, copied for each use.

Nothing is mounted and nothing of the network is used in it: the packages that the locks pin are fetched beforehand.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path("/var/cache/spelar-tests")
"""Every directory above it is root's, as sshd asks of a root directory."""

LOCKS = ("requirements.lock", "requirements-build.lock")
PACKAGES = "python3-venv,ca-certificates,systemd-sysv,dbus"
BALLAST = ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")
CLEAN = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


class Debian:
    """One such directory."""

    def __init__(self, root: Path) -> None:
        """`root` is where it lies."""
        self.root = root

    def __truediv__(self, inside: str) -> Path:
        """The place of a path inside it."""
        return self.root / inside.removeprefix("/")

    def run(
        self, *command: str, user: str = "root", environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command in it, as this user, with this environment on top of a clean one."""
        within = ["chroot", f"--userspec={user}:{user}", str(self.root), *command]
        return subprocess.run(
            within, env={**CLEAN, **(environment or {})}, cwd="/", capture_output=True, text=True, timeout=300, check=False
        )

    def uid(self, user: str) -> int:
        """The number of a user, which is the number of its group too."""
        users = (self / "etc/passwd").read_text(encoding="utf-8").splitlines()
        return next(int(line.split(":")[2]) for line in users if line.startswith(f"{user}:"))


def skip_unless_possible() -> None:
    """Where no Debian can be made, the tests say so."""
    if sys.platform == "win32" or os.geteuid() != 0:
        pytest.skip("only root can make a Debian to install into")
    if shutil.which("debootstrap") is None or shutil.which("apt-get") is None:
        pytest.skip("no debootstrap (Debian: apt install debootstrap)")


@contextmanager
def debian() -> Iterator[Debian]:
    """A fresh copy with the wheels of the locks in /wheels; removed at the end."""
    base, wheels = _base(), _wheels()
    place = CACHE / f"used-{os.getpid()}"
    try:
        _run("cp", "-a", str(base), str(place))
        shutil.copytree(wheels, place / "wheels")
        (place / "etc/pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n", encoding="utf-8")
        yield Debian(place)
    finally:
        _run("rm", "-rf", str(place))


def _base() -> Path:
    """The Debian of this machine's own release, from the archive that the machine itself uses."""
    release = platform.freedesktop_os_release()
    codename = release.get("VERSION_CODENAME", "")
    archives = _run(
        "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {codename}", "Component: main"
    ).split()
    if release["ID"] != "debian" or not archives:
        pytest.skip("no Debian archive is known here (apt-get update)")
    place = CACHE / f"{codename}-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:8]}"
    with _alone():
        if not place.exists():
            draft = CACHE / "base.draft"
            shutil.rmtree(draft, ignore_errors=True)
            # What debootstrap mounts goes with its namespace, also when it is killed.
            make = ("unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={PACKAGES}")
            try:
                _run(*make, codename, str(draft), archives[0])
            except AssertionError as error:
                pytest.skip(f"no Debian can be made here: {str(error)[-300:]}")
            for ballast in BALLAST:
                shutil.rmtree(draft / ballast)
            draft.rename(place)
    if not (place / f"usr/bin/python3.{sys.version_info.minor}").exists():
        pytest.skip(f"Debian {codename} has another Python than these tests, for which the wheels are fetched")
    return place


def _wheels() -> Path:
    """What the locks pin, as pip here brings it."""
    files = [ROOT / lock for lock in LOCKS]
    mark = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    place = CACHE / f"wheels-{sys.version_info.major}.{sys.version_info.minor}-{mark}"
    with _alone():
        if not place.exists():
            draft = CACHE / "wheels.draft"
            shutil.rmtree(draft, ignore_errors=True)
            locks = [part for file in files for part in ("-r", str(file))]
            pip = (sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary", ":all:")
            _run(*pip, *locks, "--dest", str(draft))
            draft.rename(place)
    return place


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time makes what is missing."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def copy_project(to: Path, more: Sequence[str] = ()) -> Path:
    """The files that go to a server, and `more`, as a project of their own."""
    listed = [line.split() for line in (ROOT / "scripts/files.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    for path in (*(path for kind, path in listed if kind in ("code", "extra")), *more):
        source, target = ROOT / path, to / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)
    return to
