"""Books of a tape whose levels are decoded when somebody walks down to them."""

from collections.abc import Callable, Iterator, Sequence
from typing import overload

from domain.market import Level, OrderBook
from domain.value import value


@value
class KeptBook(OrderBook):
    """A book whose levels were checked when they were written: to check them again would decode them all."""

    def __post_init__(self) -> None:
        """Believe the tape."""


class KeptLevels(Sequence[Level]):
    """One side of a book, best first; `decode` gives the level at a place."""

    __slots__ = ("_count", "_decode", "_seen")

    def __init__(self, count: int, decode: Callable[[int], Level]) -> None:
        """So many levels."""
        self._count, self._decode = count, decode
        self._seen: list[Level] = []

    def __len__(self) -> int:
        """How many levels."""
        return self._count

    def __iter__(self) -> Iterator[Level]:
        """From the best one on, each decoded as it is reached."""
        seen, decode = self._seen, self._decode
        yield from seen
        for place in range(len(seen), self._count):
            level = decode(place)
            if place == len(seen):
                seen.append(level)
            yield level

    @overload
    def __getitem__(self, place: int) -> Level: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Level]: ...

    def __getitem__(self, place: int | slice) -> Level | Sequence[Level]:
        """One level, or some."""
        if isinstance(place, slice):
            return tuple(map(self._level, range(self._count)[place]))
        if 0 <= place < len(self._seen):
            return self._seen[place]
        return self._level(range(self._count)[place])

    def _level(self, place: int) -> Level:
        """The level at a place; those before it are known then, too."""
        seen = self._seen
        while len(seen) <= place:
            seen.append(self._decode(len(seen)))
        return seen[place]

    def __eq__(self, other: object) -> bool:
        """Equal to any sequence of the same levels."""
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """As the levels themselves."""
        return hash(tuple(self))
