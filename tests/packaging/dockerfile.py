"""A Dockerfile as its steps, and a place where they are carried out without containers, so that it says what was tried.

Each stage begins as an empty directory that stands for the image's `/`; this machine's Python and npm stand for the bases.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from string import Template
from typing import NamedTuple

from pydantic import TypeAdapter

_WORDS = TypeAdapter(list[str])
_OWN_PATH = re.compile(r"(?<![\w./$-])/(?=(?:src|opt|var)\b)")
"""Where a path begins that the image has of its own; `/bin/sh` and the like are the machine's."""


class StepFailed(Exception):
    """A command of a RUN did not succeed; with what it printed."""


class Step(NamedTuple):
    """An instruction: `RUN`, and what it says."""

    word: str
    says: str


def steps(text: str) -> Iterator[Step]:
    """The instructions, with lines that go on put together and comments left out."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, says = line.split(maxsplit=1)
            yield Step(word, says)


def words(says: str) -> list[str]:
    """A list in JSON, the form of a command that needs no shell."""
    return _WORDS.validate_python(json.loads(says))


def context(root: Path, ignore: str, target: Path) -> None:
    """What of `root` a build gets to see by a `.dockerignore` that takes all away, gives names back and takes parts of them."""
    lines = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    everything, given, taken = lines[0], [n for n in lines if n.startswith("!")], [n for n in lines[1:] if n[0] != "!"]
    if everything != "*":
        raise ValueError("the .dockerignore is no list of what may be seen")

    def hidden(directory: str, names: list[str]) -> set[str]:
        """The names of a directory that are taken away again: paths, and names wherever they are."""
        place = Path(directory).relative_to(root)
        return {
            name
            for name in names
            if any(fnmatch(name, line[3:]) if line.startswith("**/") else (place / name).as_posix() == line for line in taken)
        }

    target.mkdir()
    for name in (line[1:] for line in given):
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=hidden)
        else:
            shutil.copy(root / name, target / name)


@dataclass(slots=True, kw_only=True)
class Image:
    """What the steps of one stage came to. `root` stands for `/`; `commands` are CMD and HEALTHCHECK."""

    root: Path
    files: Path
    environment: dict[str, str]
    work: str = "/"
    user: str = ""
    volumes: list[str] = field(default_factory=list)
    commands: dict[str, list[str]] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """A text in which the image's paths have become this machine's."""
        return _OWN_PATH.sub(f"{self.root}/", text)

    def path(self, inside: str) -> Path:
        """Where a path of the image lies on this machine."""
        return self.root.joinpath(*Path(self.work, inside).parts[1:])


class Builder:
    """Carries out the stages, one after the other. All have the same paths: `root` is a link to the one at work."""

    def __init__(self, place: Path, seen: Path, environment: Mapping[str, str]) -> None:
        """Build in `place` from the files in `seen`; the steps run with `environment`."""
        self._place, self._seen, self._environment = place, seen, environment
        self._stages: dict[str, Image] = {}

    def build(self, text: str) -> Image:
        """The last stage. Raises `StepFailed`, and `KeyError` for an instruction that nobody here knows."""
        for step in steps(text):
            if step.word == "FROM":
                image = self._begin(step.says)
            else:
                _DOES[step.word](self, image, step.says)
        return image

    def _begin(self, says: str) -> Image:
        name = says.partition(" AS ")[2]
        files, root = self._place / f"stage-{len(self._stages)}", self._place / "root"
        files.mkdir()
        root.unlink(missing_ok=True)
        root.symlink_to(files)
        self._stages[name] = Image(root=root, files=files, environment=dict(self._environment))
        return self._stages[name]

    def work(self, image: Image, says: str) -> None:
        """WORKDIR: made if need be."""
        image.work = says
        image.path(says).mkdir(parents=True, exist_ok=True)

    def env(self, image: Image, says: str) -> None:
        """ENV: each NAME=value may use those before."""
        for name, value in (pair.split("=", 1) for pair in shlex.split(says)):
            image.environment[name] = Template(image.here(value)).substitute(image.environment)

    def copy(self, image: Image, says: str) -> None:
        """COPY: from the context, or out of an earlier stage."""
        *sources, target = (word for word in says.split() if not word.startswith("--"))
        stage = re.match(r"--from=(\w+) ", says)
        for source in sources:
            origin = self._stages[stage[1]].files / source.lstrip("/") if stage else self._seen / source
            if origin.is_dir():
                shutil.copytree(origin, image.path(target), symlinks=True, dirs_exist_ok=True)
            else:
                image.path(target).mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, image.path(target))

    def run(self, image: Image, says: str) -> None:
        """RUN: by a shell, in the working directory."""
        command = ("/bin/sh", "-euc", image.here(says))
        place, env = image.path(image.work), image.environment
        done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StepFailed(f"{says}\n{done.stdout}{done.stderr}")

    def user(self, image: Image, says: str) -> None:
        """USER: who the commands run as."""
        image.user = says

    def volume(self, image: Image, says: str) -> None:
        """VOLUME: what may be written."""
        image.volumes = words(says)

    def command(self, image: Image, says: str) -> None:
        """CMD: what the container runs."""
        image.commands["CMD"] = words(says)

    def health(self, image: Image, says: str) -> None:
        """HEALTHCHECK: what says whether it is well."""
        image.commands["HEALTHCHECK"] = words(says.partition(" CMD ")[2])


_DOES: Mapping[str, Callable[[Builder, Image, str], None]] = {
    "WORKDIR": Builder.work,
    "ENV": Builder.env,
    "COPY": Builder.copy,
    "RUN": Builder.run,
    "USER": Builder.user,
    "VOLUME": Builder.volume,
    "CMD": Builder.command,
    "HEALTHCHECK": Builder.health,
}


def confined(image: Image) -> list[str]:
    """What a command is put behind so that it is the image's user who reads everything and writes only what is his.

    To read is the one capability left: this machine's Python may lie in a closed home.
    """
    user, group = image.user.split(":")
    only = "-all,+dac_read_search"
    return [
        *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"),
        *(f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}"),
    ]


can_be_confined = os.name == "posix" and os.geteuid() == 0 and shutil.which("setpriv") is not None
"""Whether this process may become another user."""
