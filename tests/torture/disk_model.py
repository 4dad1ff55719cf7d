"""A disk whose power can fail: what was synced is there, of the rest any part may be, and a write may be torn.

It is fed with the system calls that strace saw. Stricter than a journalling file system: a new, renamed or removed name holds
only when its directory was synced (a prefix of the changes may hold earlier), sizes and sectors are lost one by one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR = 512

LINE = re.compile(r"(?P<call>\w+)\((?P<arguments>.*)\) += (?P<answer>-?\d+)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(?P<cut>\.\.\.)?')
CHANGES = "openat,close,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink"
"""The calls that are understood. `REFUSED` are those that would change files unseen."""

REFUSED = "pwritev,pwritev2,writev,fallocate,truncate,renameat,renameat2,linkat,unlinkat,copy_file_range,sendfile"


@dataclass(frozen=True, slots=True)
class Piece:
    """A write that is not synced: `data` at `offset`; None: the file is cut or stretched to `offset`."""

    offset: int
    data: bytes | None

    def put_into(self, content: bytearray) -> None:
        """Do it."""
        if self.data is None:
            del content[self.offset :]
            content.extend(bytes(self.offset - len(content)))
            return
        content.extend(bytes(max(0, self.offset - len(content))))
        content[self.offset : self.offset + len(self.data)] = self.data

    def sectors(self) -> Iterator["Piece"]:
        """The parts that a disk writes at once."""
        if self.data is None:
            yield self
            return
        at = 0
        while at < len(self.data):
            end = min(len(self.data), at + SECTOR - (self.offset + at) % SECTOR)
            yield Piece(self.offset + at, self.data[at:end])
            at = end


@dataclass(slots=True)
class File:
    """What is certain of a file, and what is not."""

    certain: bytearray = field(default_factory=bytearray)
    waiting: list[Piece] = field(default_factory=list)

    def sync(self) -> None:
        """Make all of it certain."""
        for piece in self.waiting:
            piece.put_into(self.certain)
        self.waiting.clear()

    def after_a_cut(self, chance: Random) -> bytes:
        """What may be found: every write whole, torn, or not there."""
        content = bytearray(self.certain)
        for piece in self.waiting:
            fate = chance.random()
            for part in piece.sectors():
                if fate < 0.4 or (fate < 0.7 and chance.random() < 0.5):
                    part.put_into(content)
        return bytes(content)


@dataclass(frozen=True, slots=True)
class Name:
    """A change of a directory that is not synced: the name stands for this file now, or for none."""

    path: Path
    file: File | None


class PowerlessDisk:
    """The files under one directory. `said` hears what was written to files outside it: the acknowledgements."""

    def __init__(self, root: Path, said: Callable[[bytes], None]) -> None:
        self._root, self._said = root, said
        self._names: dict[Path, File] = {}
        self._certain: dict[Path, File] = {}
        self._waiting: list[Name] = []
        self._open: dict[int, File | Path] = {}

    def feed(self, line: str) -> bool:
        """Live through one line of strace's; whether it changed anything."""
        met = LINE.match(line)
        if met is None or met["answer"].startswith("-"):
            return False
        if met["call"] not in CHANGES.split(","):
            raise ValueError(f"a change that the model does not know: {line[:200]}")
        getattr(self, f"_{met['call']}")(met["arguments"], int(met["answer"]))
        return True

    def after_a_cut(self, chance: Random) -> dict[Path, bytes]:
        """What may be found under the directory. In one of four cuts nothing that was not synced was written."""
        names = dict(self._certain)
        if chance.random() < 0.25:
            return {path: bytes(file.certain) for path, file in names.items()}
        for change in self._waiting[: chance.randint(0, len(self._waiting))]:
            _rename(names, change)
        return {path: file.after_a_cut(chance) for path, file in names.items()}

    def _openat(self, arguments: str, answer: int) -> None:
        path = Path(_texts(arguments)[0].decode())
        if path == self._root or self._root in path.parents:
            if "O_DIRECTORY" in arguments or path.suffix == "":
                self._open[answer] = path
                return
            if path.name.endswith("-shm"):
                self._open[answer] = File()
                return
            if path not in self._names:
                self._change(Name(path, File()))
            self._open[answer] = self._names[path]
            if "O_TRUNC" in arguments:
                self._names[path].waiting.append(Piece(0, None))

    def _close(self, arguments: str, answer: int) -> None:
        self._open.pop(int(arguments), None)

    def _write(self, arguments: str, answer: int) -> None:
        if int(arguments.partition(",")[0]) in self._open:
            raise ValueError("a write without a place, which the model does not know")
        self._said(_texts(arguments)[0])

    def _pwrite64(self, arguments: str, answer: int) -> None:
        file = self._open.get(int(arguments.partition(",")[0]))
        if isinstance(file, File):
            (data,) = _texts(arguments)
            file.waiting.append(Piece(int(arguments.rpartition(",")[2]), data[:answer]))

    def _ftruncate(self, arguments: str, answer: int) -> None:
        number, size = arguments.split(",")
        file = self._open.get(int(number))
        if isinstance(file, File):
            file.waiting.append(Piece(int(size), None))

    def _fsync(self, arguments: str, answer: int) -> None:
        opened = self._open.get(int(arguments))
        if isinstance(opened, File):
            opened.sync()
        elif opened is not None:
            mine = [change for change in self._waiting if change.path.parent == opened]
            for change in mine:
                _rename(self._certain, change)
            self._waiting = [change for change in self._waiting if change.path.parent != opened]

    _fdatasync = _fsync

    def _rename(self, arguments: str, answer: int) -> None:
        old, new = (Path(text.decode()) for text in _texts(arguments))
        self._change(Name(new, self._names[old]))
        self._change(Name(old, None))

    def _unlink(self, arguments: str, answer: int) -> None:
        path = Path(_texts(arguments)[0].decode())
        if path in self._names:
            self._change(Name(path, None))

    def _change(self, change: Name) -> None:
        _rename(self._names, change)
        self._waiting.append(change)


def _rename(names: dict[Path, File], change: Name) -> None:
    if change.file is None:
        names.pop(change.path, None)
    else:
        names[change.path] = change.file


def _texts(arguments: str) -> list[bytes]:
    """The texts of a call. Raises `ValueError` for one that strace has cut."""
    found = []
    for met in TEXT.finditer(arguments):
        if met["cut"]:
            raise ValueError("strace has cut a text")
        found.append(bytes.fromhex(met[1].replace("\\x", "")))
    return found
