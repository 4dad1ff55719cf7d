"""What a page of the guides consists of: headings, fenced blocks, code spans, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PART = re.compile(r"<!-- ([a-z0-9_-]+) -->\n(.*?)<!-- /\1 -->", re.DOTALL)
NO_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: the word behind its fence, and its lines."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was read."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> "Page":
        """The page in a file."""
        return cls(path, path.read_text(encoding="utf-8"))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The fenced blocks in their order."""
        return tuple(Block(kind=kind, lines=tuple(inside.splitlines())) for kind, inside in FENCE.findall(self.text))

    @property
    def running_text(self) -> str:
        """Everything but the fenced blocks."""
        return FENCE.sub("", self.text)

    @property
    def written(self) -> str:
        """What people wrote: neither blocks nor generated parts."""
        return PART.sub("", self.running_text)

    @property
    def headings(self) -> tuple[tuple[int, str], ...]:
        """Level and text of every heading."""
        return tuple((len(marks), text) for marks, text in HEADING.findall(self.running_text))

    @property
    def anchors(self) -> frozenset[str]:
        """The headings as a link names them."""
        return frozenset(NO_ANCHOR.sub("", text.lower()).replace(" ", "-") for _, text in self.headings)

    @property
    def links(self) -> tuple[str, ...]:
        """Where the links lead, those into the web left out."""
        return tuple(link for link in LINK.findall(self.running_text) if "://" not in link)

    def spans(self) -> Iterator[str]:
        """The code spans of what people wrote, and the lines of the blocks that are typed."""
        yield from SPAN.findall(self.written)
        for block in self.blocks:
            if block.kind in ("sh", "console", "powershell"):
                yield from block.lines
