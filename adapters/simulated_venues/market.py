"""The identity and the life of one simulated market: all ids follow from its slug, so two runs speak of the same market."""

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

FAR_AWAY_MS = 1_924_992_000_000
"""2031-01-01 UTC."""

MINUTE_MS = 60_000

VOID = "void"
"""The winner of a market that pays all of its outcomes alike: 0.5 for each of two."""

Resolution = Literal["automatic", "proposed", "disputed"]
"""How the venue comes to its answer: at once, after a proposal to UMA, or after a dispute of that proposal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimEvent:
    """What the markets of one event have in common; a market without one is an event of its own.

    It begins at `starts_at_ms` (UTC), or `starts_after_ms` after a scenario's start (negative: it has begun); with a
    `game_id` that is the kick-off of a match, which other events of the same match share.

    For markets of a `Scenario` that no pair leads: the price of the event swings within `swing`. Of three legs of a
    match it is the draw's, and the teams share the rest, the home team by `home_share`.
    """

    slug: str
    title: str
    game_id: int | None = None
    series: str = ""
    starts_at_ms: int | None = None
    starts_after_ms: int | None = None
    swing: tuple[float, float] = (0.4, 0.6)
    home_share: float = 0.6

    @property
    def group_id(self) -> str:
        """The neg-risk group of its markets (0x + 64 hex): the last two digits are left for their number in it."""
        return f"0x{_sha256(f'group:{self.slug}').hex()[:62]}00"

    def placed(self, start_ms: int) -> "SimEvent":
        """The same event with its beginning as a time."""
        return replace(self, starts_at_ms=_moment(self.starts_at_ms, self.starts_after_ms, start_ms))


NO_EVENT = SimEvent(slug="", title="")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimMarket:
    """One Polymarket market and the Kraken pair that leads it ("": none does).

    `direction` is "normal", or "inverse" when the first outcome falls as the pair rises. `condition_id` (0x + 64 hex)
    and `token_ids` (77 or 78 digits, parallel to `outcomes`) follow from the slug unless given. In a match the
    `group_threshold` 0, 1, 2 is home, draw, away.

    The CLOB knows the market from `hydrates_at_ms` and takes orders until `closes_at_ms` (both UTC; None: always).
    Where a `.._at_ms` is None, a `.._after_ms` counts from the start of a `Scenario`, which alone knows when a market
    resolves: a `winner` of None lets the book's lean or the seed decide. `first_mid` and `elasticity` (price change per
    unit of log move of the pair) are for a `Scenario` too.
    """

    slug: str
    question: str = ""
    pair: str = "XBTUSD"
    direction: str = "normal"
    outcomes: tuple[str, ...] = ("Yes", "No")
    condition_id: str = ""
    token_ids: tuple[str, ...] = ()
    event: SimEvent = NO_EVENT
    group_title: str = ""
    group_threshold: str = ""
    sports_type: str = ""
    seconds_delay: int = 0
    ends_at_ms: int = FAR_AWAY_MS
    hydrates_at_ms: int | None = None
    hydrates_after_ms: int | None = None
    closes_at_ms: int | None = None
    closes_after_ms: int | None = None
    resolves_at_ms: int | None = None
    resolves_after_ms: int | None = None
    resolution: Resolution = "automatic"
    winner: str | None = None
    tick: str = "0.01"
    min_order_size: str = "5"
    neg_risk: bool = False
    liquidity: float = 42000.75
    volume_24h: float = 8200.25
    fee_type: str = "crypto_fees_v2"
    fee_rate: Decimal = Decimal("0.07")
    fee_exponent: int = 1
    first_mid: float = 0.5
    elasticity: float = 13.0

    def __post_init__(self) -> None:
        """Derive what was not given; ValueError for a direction or winner that is none, or outcomes that are too few."""
        if self.direction not in ("normal", "inverse"):
            raise ValueError(f"direction must be normal or inverse, not {self.direction!r}")
        if self.winner not in (None, VOID, *self.outcomes):
            raise ValueError(f"winner must be {VOID} or one of {self.outcomes}, not {self.winner!r}")
        if len(set(self.outcomes)) != len(self.outcomes) or len(self.outcomes) not in (2, 3):
            raise ValueError(f"a market has two or three different outcomes, not {self.outcomes}")
        tokens = tuple(_token_id(f"{self.slug}:{outcome}") for outcome in self.outcomes)
        derived = {"question": f"{self.slug}?", "condition_id": f"0x{_sha256(self.slug).hex()}", "token_ids": tokens}
        for name, value in derived.items():
            object.__setattr__(self, name, getattr(self, name) or value)
        if self.event == NO_EVENT:
            object.__setattr__(self, "event", SimEvent(slug=self.slug, title=self.question))

    @property
    def deadline_ms(self) -> int:
        """The nominal end (UTC): of a match it is the kick-off, although trading goes on."""
        kick_off = self.event.starts_at_ms if self.event.game_id is not None else None
        return self.ends_at_ms if kick_off is None else kick_off

    def outcome_of(self, token_id: str) -> str:
        """The outcome whose token this is; ValueError when it is another market's."""
        return self.outcomes[self.token_ids.index(token_id)]

    def hydrated(self, now_ms: int) -> bool:
        """Whether the CLOB knows the market by now."""
        return self.hydrates_at_ms is None or now_ms >= self.hydrates_at_ms

    def accepting(self, now_ms: int) -> bool:
        """Whether its own closing time is still ahead; a winner ends trading too."""
        return self.closes_at_ms is None or now_ms < self.closes_at_ms

    def placed(self, start_ms: int) -> "SimMarket":
        """The same market with every `.._after_ms` as a time."""
        return replace(
            self,
            event=self.event.placed(start_ms),
            hydrates_at_ms=_moment(self.hydrates_at_ms, self.hydrates_after_ms, start_ms),
            closes_at_ms=_moment(self.closes_at_ms, self.closes_after_ms, start_ms),
            resolves_at_ms=_moment(self.resolves_at_ms, self.resolves_after_ms, start_ms),
        )


def _moment(at_ms: int | None, after_ms: int | None, start_ms: int) -> int | None:
    return start_ms + after_ms if at_ms is None and after_ms is not None else at_ms


def numeric_id(name: str) -> str:
    """One of Gamma's ids, numeric text, for whatever has this name."""
    return str(int.from_bytes(_sha256(name)[:3]))


def _token_id(text: str) -> str:
    # The top bit keeps the number at 77 or 78 digits, the length that real ids have.
    return str(int.from_bytes(_sha256(text)) | 1 << 255)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
