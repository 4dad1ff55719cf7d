"""The identity of one simulated market: all ids follow from its slug, so that two runs speak of the same market."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

FAR_AWAY_MS = 1_924_992_000_000
"""2031-01-01 UTC."""

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimMarket:
    """One binary Polymarket market and the Kraken pair that leads it.

    `direction` is "normal", or "inverse" when the first outcome falls as the pair rises. `condition_id` (0x + 64 hex)
    and `token_ids` (77 or 78 digits, parallel to `outcomes`) follow from the slug unless given.

    For a `Scenario` only: the market resolves at `resolves_at_ms` (UTC), or `resolves_after_ms` after the start, and a
    `winner` of None lets the book's lean decide; `first_mid` and `elasticity` (price change per unit of log move).
    """

    slug: str
    question: str = ""
    pair: str = "XBTUSD"
    direction: str = "normal"
    outcomes: tuple[str, str] = ("Yes", "No")
    condition_id: str = ""
    token_ids: tuple[str, ...] = ()
    ends_at_ms: int = FAR_AWAY_MS
    resolves_at_ms: int | None = None
    resolves_after_ms: int | None = None
    winner: str | None = None
    tick: str = "0.01"
    min_order_size: str = "5"
    neg_risk: bool = False
    fee_type: str = "crypto_fees_v2"
    fee_rate: Decimal = Decimal("0.07")
    fee_exponent: int = 1
    first_mid: float = 0.5
    elasticity: float = 13.0

    def __post_init__(self) -> None:
        """Derive what was not given; ValueError for a direction or winner that is none."""
        if self.direction not in ("normal", "inverse"):
            raise ValueError(f"direction must be normal or inverse, not {self.direction!r}")
        if self.winner is not None and self.winner not in self.outcomes:
            raise ValueError(f"winner must be one of {self.outcomes}, not {self.winner!r}")
        tokens = tuple(_token_id(f"{self.slug}:{outcome}") for outcome in self.outcomes)
        derived = {"question": f"{self.slug}?", "condition_id": f"0x{_sha256(self.slug).hex()}", "token_ids": tokens}
        for name, value in derived.items():
            object.__setattr__(self, name, getattr(self, name) or value)

    def outcome_of(self, token_id: str) -> str:
        """The outcome whose token this is; ValueError when it is another market's."""
        return self.outcomes[self.token_ids.index(token_id)]


def _token_id(text: str) -> str:
    # The top bit keeps the number at 77 or 78 digits, the length that real ids have.
    return str(int.from_bytes(_sha256(text)) | 1 << 255)


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


DEFAULT: tuple[SimMarket, ...] = (
    SimMarket(slug="bitcoin-above-60k-on-december-31", question="Will Bitcoin be above $60,000 on December 31?"),
    SimMarket(
        slug="bitcoin-up-this-quarter",
        question="Will Bitcoin finish the quarter higher?",
        first_mid=0.46,
        elasticity=12.0,
        resolves_after_ms=12 * MINUTE_MS,
    ),
    SimMarket(
        slug="ethereum-above-3000-on-december-31",
        question="Will Ethereum be above $3,000 on December 31?",
        pair="ETHUSD",
        first_mid=0.53,
        elasticity=14.0,
    ),
    SimMarket(
        slug="bitcoin-dip-to-50k-by-december-31",
        question="Will Bitcoin dip to $50,000 by December 31?",
        direction="inverse",
        first_mid=0.48,
    ),
)
