"""A person who follows a guide: a fresh clone, and the `sh` blocks of a page typed line by line."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.documents import ROOT
from tests.prose import Block

STAYING = (".venv/bin/spelar run", ".venv/bin/spelar portal")
"""Commands that go on until Ctrl-C; the person opens another window for the next block."""


@dataclass
class Person:
    """Who types in `clone`. `environment` is what the shell starts with; `said` is what each line printed."""

    clone: Path
    environment: dict[str, str]
    windows: ExitStack
    said: list[str] = field(default_factory=list)
    staying: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        """Type the lines of a block into a new window. AssertionError when a line fails."""
        shell = dict(self.environment)
        for line in block.lines:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                shell[name] = value
            elif line.startswith(STAYING):
                self.staying.append(self.windows.enter_context(_started(line, self.clone, shell)))
            else:
                self.said.append(_typed(line, self.clone, shell))

    def press_ctrl_c(self) -> list[int]:
        """In every window in which something still runs, the newest first; how they ended."""
        for process in reversed(self.staying):
            process.send_signal(signal.SIGINT)
        return [process.wait(timeout=30) for process in self.staying]


def _typed(line: str, clone: Path, shell: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", line], cwd=clone, env=dict(shell), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{line}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@contextmanager
def _started(line: str, clone: Path, shell: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=clone, env=dict(shell), stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def person(directory: Path, environment: Mapping[str, str]) -> Iterator[Person]:
    """Someone with a fresh clone in `directory`, where what `make` installs is there already."""
    clone = directory / "spelar"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), str(clone)], check=True, timeout=60)
    _lay_changes(clone)
    _lay_environment(clone)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with ExitStack() as windows:
        yield Person(clone=clone, environment={**kept, "TERM": "dumb", **environment}, windows=windows)


def _lay_changes(clone: Path) -> None:
    """What was changed since the last commit goes along, so that a test speaks of the files that are here."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        source, target = ROOT / name, clone / name
        if source.is_file() and not (target.is_file() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _lay_environment(clone: Path) -> None:
    """A virtual environment that finds our packages and the clone's code, as `make` and pip leave it, in a second."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(clone / ".venv")], check=True, timeout=60)
    (packages,) = (clone / ".venv/lib").glob("python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "clone.pth").write_text("\n".join([str(clone), *ours]), encoding="utf-8")
    spelar = clone / ".venv/bin/spelar"
    spelar.write_text(f"#!{clone}/.venv/bin/python\nfrom entrypoints.cli import main\nmain()\n", encoding="utf-8")
    spelar.chmod(0o755)
    if (ROOT / "web/vendor").is_dir():
        shutil.copytree(ROOT / "web/vendor", clone / "web/vendor")
    if (ROOT / "node_modules").is_dir():
        (clone / "node_modules").symlink_to(ROOT / "node_modules")
    (clone / ".venv/installed").touch()
