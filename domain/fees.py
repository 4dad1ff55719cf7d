"""What the venue takes from a taker.

Formula and precision: the venue's documentation of fees since 2026-04-01 (`shares * rate * (p * (1 - p)) ** exponent`, five
decimals, collateral). Whether the fifth decimal is rounded or cut is not published; receipts agree with a cut.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

FEE_STEP = Decimal("0.00001")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """A market's taker fee. `assumed` marks a schedule that the market itself did not state."""

    rate: Decimal
    exponent: Decimal = Decimal(1)
    assumed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be a fee."""
        if not (0 <= self.rate <= 1 and 0 <= self.exponent <= 10):
            raise ValueError(f"a fee has 0 <= rate <= 1 and 0 <= exponent <= 10, not {self.rate} and {self.exponent}")

    def charged(self, *, shares: Decimal, price: Decimal) -> Decimal:
        """The fee of one level in USDC, cut off after five decimals."""
        if not self.rate:
            return Decimal(0)
        return (shares * self.rate * (price * (1 - price)) ** self.exponent).quantize(FEE_STEP, rounding=ROUND_DOWN)

    def most(self, shares: Decimal) -> Decimal:
        """The dearest fee that any price could cost: at one half."""
        return self.charged(shares=shares, price=Decimal("0.5")) if self.rate else Decimal(0)

    def per_share(self, price: float) -> float:
        """The fee of one share at this price, an estimate in price units."""
        return float(self.rate) * math.pow(price * (1 - price), float(self.exponent))


FREE = FeeSchedule(rate=Decimal(0))

RATES_SINCE_2026_07_10 = {
    "crypto": Decimal("0.07"),
    "sports": Decimal("0.05"),
    "economics": Decimal("0.05"),
    "culture": Decimal("0.05"),
    "weather": Decimal("0.05"),
    "general": Decimal("0.05"),
    "finance": Decimal("0.04"),
    "politics": Decimal("0.04"),
    "mentions": Decimal("0.04"),
    "tech": Decimal("0.04"),
    "geopolitics": Decimal(0),
}
"""Taker rate by category, exponent 1, as the venue's fee page stated it from 2026-07-10."""


def assumed_schedule(category: str) -> FeeSchedule:
    """The schedule of a market that charges fees without saying which: its category's, else the dearest of all.

    `category` is the venue's `feeType`, such as `crypto_fees_v2`: the word before the first underscore counts.
    """
    word = category.split("_", 1)[0].lower()
    return FeeSchedule(rate=RATES_SINCE_2026_07_10.get(word, max(RATES_SINCE_2026_07_10.values())), assumed=True)
