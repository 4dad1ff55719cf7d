"""What the venue takes from a taker, today and on earlier days.

Source: the venue's fee page (27 dated versions, 2026-02-22 to 2026-07-30) and its changelog. Makers pay nothing. Whether the
last decimal is rounded or cut is not published; receipts of five decimals agree with a cut, and four decimals are cut alike.
A BUY's fee was taken in shares before 2026-04-28; it is charged to cash here, as it is since.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal
from typing import NamedTuple

from domain.figures import Figure, power
from domain.value import value

FEE_STEP = Decimal("0.00001")
ONE = Decimal(1)
HALF = Decimal("0.5")
product_cut = Context(rounding=ROUND_DOWN).multiply
"""A product of 28 digits, the rest cut: cut again to a step it is what the exact product would be. Bound once, for speed."""


@value
class FeeSchedule:
    """A market's taker fee: `shares * rate * (p * (1 - p)) ** exponent`, times p once more where it is `of_notional`.

    `step` (USDC, a power of ten) is the smallest fee. `assumed` marks a schedule that the market itself did not state.
    """

    rate: Decimal
    exponent: Decimal = ONE
    assumed: bool = False
    of_notional: bool = False
    step: Decimal = FEE_STEP

    def __post_init__(self) -> None:
        """Refuse what cannot be a fee."""
        if not (0 <= self.rate <= 1 and 0 <= self.exponent <= 10):
            raise ValueError(f"a fee has 0 <= rate <= 1 and 0 <= exponent <= 10, not {self.rate} and {self.exponent}")
        if not 0 < self.step <= 1:
            raise ValueError(f"a fee's step lies above 0 and at most at 1, not at {self.step}")

    def charged(self, *, shares: Decimal, price: Decimal) -> Decimal:
        """The fee of one level in USDC, cut off to whole steps: exact where the exponent is whole."""
        if not self.rate:
            return Decimal(0)
        curve = price * (1 - price)
        # A power takes a fifth of the time of the call, and 0 ** 0 is an error.
        if self.exponent != ONE:
            curve = curve**self.exponent if self.exponent else ONE
        per_share = self.rate * curve * price if self.of_notional else self.rate * curve
        return product_cut(shares, per_share).quantize(self.step, ROUND_DOWN)

    def most(self, shares: Decimal) -> Decimal:
        """The dearest fee that any price could cost."""
        return self.charged(shares=shares, price=self._dearest_price)

    @property
    def _dearest_price(self) -> Decimal:
        """Where p ** (e + 1) * (1 - p) ** e, or without the notional (p * (1 - p)) ** e, is highest."""
        return (self.exponent + 1) / (2 * self.exponent + 1) if self.of_notional else HALF

    def per_share(self, price: Figure) -> Figure:
        """The fee of one share at this price, an estimate in price units."""
        fee = float(self.rate) * power(price * (1 - price), float(self.exponent))
        return fee * price if self.of_notional else fee


FREE = FeeSchedule(rate=Decimal(0))


class Rate(NamedTuple):
    """What one category pays."""

    rate: Decimal
    exponent: Decimal = ONE

    def __str__(self) -> str:
        """In words, without trailing zeros."""
        return f"{self.rate.normalize():f} exponent {self.exponent.normalize():f}"


@value
class Edition:
    """The rules from midnight UTC of `day` (`since_ms`, ms since the epoch) until the next edition."""

    day: str
    since_ms: int
    rates: Mapping[str, Rate]
    of_notional: bool = False
    step: Decimal = FEE_STEP

    def schedule(self, rate: Rate, *, assumed: bool = False) -> FeeSchedule:
        """A schedule of these numbers, with this edition's formula."""
        return FeeSchedule(
            rate=rate.rate, exponent=rate.exponent, assumed=assumed, of_notional=self.of_notional, step=self.step
        )

    @property
    def dearest(self) -> Rate:
        """The rate that takes the most at one half; zero where nobody pays."""
        return max(self.rates.values(), key=lambda rate: self.schedule(rate).per_share(0.5), default=Rate(Decimal(0)))


def _rates(**texts: str) -> dict[str, Rate]:
    """By category: the rate, and after a blank the exponent, where it is not 1."""
    return {category: Rate(*map(Decimal, text.split())) for category, text in texts.items()}


FOUR_DECIMALS = Decimal("0.0001")
CRYPTO_ONLY = _rates(crypto="0.25 2")
MARCH = _rates(
    crypto="0.072",
    sports="0.03",
    finance="0.04",
    politics="0.04",
    economics="0.03 0.5",
    culture="0.05",
    weather="0.025 0.5",
    other="0.2 2",
    general="0.2 2",
    mentions="0.25 2",
    tech="0.04",
    geopolitics="0",
)
APRIL = MARCH | _rates(economics="0.05", weather="0.05", other="0.05", general="0.05", mentions="0.04")

EDITIONS = (
    Edition(day="1970-01-01", since_ms=0, of_notional=True, step=FOUR_DECIMALS, rates={}),
    Edition(day="2026-01-05", since_ms=1_767_571_200_000, of_notional=True, step=FOUR_DECIMALS, rates=CRYPTO_ONLY),
    Edition(
        day="2026-02-18",
        since_ms=1_771_372_800_000,
        of_notional=True,
        step=FOUR_DECIMALS,
        rates=CRYPTO_ONLY | _rates(sports="0.0175"),
    ),
    Edition(day="2026-03-30", since_ms=1_774_828_800_000, of_notional=True, step=FOUR_DECIMALS, rates=MARCH),
    Edition(day="2026-03-31", since_ms=1_774_915_200_000, rates=MARCH),
    Edition(day="2026-04-01", since_ms=1_775_001_600_000, rates=APRIL),
    Edition(day="2026-04-28", since_ms=1_777_334_400_000, rates=APRIL | _rates(crypto="0.07")),
    Edition(day="2026-07-10", since_ms=1_783_641_600_000, rates=APRIL | _rates(crypto="0.07", sports="0.05")),
)
"""Oldest first. The venue let a market keep the rules that it was deployed under; here a category changes for all at midnight.

The dates are the changelog's, but for two: 2026-04-01 is the page's, and the crypto rate that the page showed from 2026-05-06
on is dated to the second version of the exchange, 2026-04-28.
"""


def _edition(at_ms: int | None) -> Edition:
    """The rules at `at_ms` (UTC ms); None: the newest."""
    return next((found for found in reversed(EDITIONS) if at_ms is None or found.since_ms <= at_ms), EDITIONS[0])


def _word(category: str) -> str:
    """The table's name of a category: of the venue's `feeType`, such as `crypto_fees_v2`, the word before the underscore."""
    return category.split("_", 1)[0].strip().lower()


def stated_schedule(rate: Decimal, exponent: Decimal, *, category: str = "", at_ms: int | None = None) -> FeeSchedule:
    """The market's own numbers with the formula of the day at `at_ms` (UTC ms; None: today).

    No formula so far depends on the `category`. Raises `ValueError` for what cannot be a fee.
    """
    return _edition(at_ms).schedule(Rate(rate, exponent))


def assumed_schedule(category: str, at_ms: int | None = None) -> FeeSchedule:
    """The schedule of a market that charges fees without saying which: its category's at `at_ms` (UTC ms; None: today).

    `category` is the venue's `feeType`. One that the table does not know pays what is dearest at one half.
    """
    edition = _edition(at_ms)
    return edition.schedule(edition.rates.get(_word(category), edition.dearest), assumed=True)


def differs_from_table(category: str, schedule: FeeSchedule, at_ms: int | None = None) -> str | None:
    """How a market's own schedule differs from its category's at `at_ms` (UTC ms; None: today); None when it does not.

    A market that is free or states nothing tells nothing of the table, nor does one without a category (`feeType`). A category
    that is missing from the table is a difference: a market of it that states no schedule would be charged the dearest.
    """
    if not category or schedule.assumed or not schedule.rate:
        return None
    edition, stated = _edition(at_ms), Rate(schedule.rate, schedule.exponent)
    listed = edition.rates.get(_word(category))
    if listed == stated:
        return None
    says = f"says {listed}" if listed else "does not know the category"
    return f"{category}: the market charges {stated}, the table of {edition.day} {says}"
