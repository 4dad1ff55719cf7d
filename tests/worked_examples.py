"""The worked examples of docs/*/strategies.md: every number comes from the domain's own functions."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from domain.edge import Unit, directed, return_pct, spread_cost_pct
from domain.fair import LinearRange
from domain.fill import NOTHING_TAKEN, walk
from domain.market import Side
from domain.strategies import fair_model
from domain.strategies.lead_lag import LeadLag
from domain.strategies.pm_draw import PmDraw
from domain.strategies.pm_trend import PmTrend
from tests.builders import CRYPTO, SIZING, book, market, reading

SPOT = (60_000, 60_000, 60_000, 60_090, 60_150, 60_240)
LED_MID = 0.505
RISING = (0.500, 0.500, 0.505, 0.505, 0.505, 0.510, 0.515)
DRAW_ODDS, DRAW_MID = 3.40, 0.265
FAIR_RANGE = LinearRange(zero_at=60_000, one_at=110_000)
FUTURE, FAIR_MID = 90_000.0, 0.57


class Step(NamedTuple):
    """One line of an example: what it is in Swedish and English, how it is worked out, and what comes out."""

    sv: str
    en: str
    formula: str
    comes_to: str


def _number(value: float | Decimal) -> str:
    return f"{round(float(value), 4):g}"


def lead_lag() -> Iterator[Step]:
    """A move of the reference that the token has not followed, bought and sold again."""
    signal = LeadLag().signal(reading((spot, LED_MID) for spot in SPOT))
    bought, sold = book("0.50/0.51"), book("0.53/0.54")
    shares = SIZING.entry_shares(bought.asks)
    buy = walk(bought, Side.BUY, shares=shares, limit=Decimal("0.52"), fees=CRYPTO, taken=NOTHING_TAKEN)
    sell = walk(sold, Side.SELL, shares=shares, limit=Decimal("0.52"), fees=CRYPTO, taken=NOTHING_TAKEN)
    spread = spread_cost_pct(spread=0.01, mid=LED_MID)
    fee = Unit.PERCENT_OF_MID.of_price(CRYPTO.per_share(0.51), LED_MID)
    move, own = return_pct(SPOT[-1], SPOT[0]), return_pct(LED_MID, LED_MID)
    yield Step("referensens rörelse, %", "move of the reference, %", f"({SPOT[-1]} / {SPOT[0]} - 1) * 100", _number(move))
    yield Step("tokenens egen rörelse, %", "the token's own move, %", f"({LED_MID} / {LED_MID} - 1) * 100", _number(own))
    yield Step("edge, %", "edge, %", f"1 * {directed(1, move):g} - {own:g}", _number(signal.edge))
    yield Step("andelar", "shares", "min(10, 0.10 * (500 * 0.51 + 500 * 0.52) / 0.51)", _number(shares))
    yield Step("köpet, USDC", "the buy, USDC", "10 * 0.51", _number(buy.notional))
    yield Step("köpets avgift, USDC", "the buy's fee, USDC", "10 * 0.07 * 0.51 * 0.49", f"{buy.fee.normalize():f}")
    yield Step("halva spreaden, % av mittkursen", "half the spread, % of the mid", "0.005 / 0.505 * 100", _number(spread))
    yield Step("avgiften, % av mittkursen", "the fee, % of the mid", "0.07 * 0.51 * 0.49 / 0.505 * 100", _number(fee))
    net = signal.edge - spread - fee
    yield Step("netto, %", "net, %", f"{signal.edge:g} - {_number(spread)} - {_number(fee)}", _number(net))
    yield Step("försäljningen, USDC", "the sale, USDC", "10 * 0.53", _number(sell.notional))
    yield Step("dess avgift, USDC", "its fee, USDC", "10 * 0.07 * 0.53 * 0.47", f"{sell.fee.normalize():f}")
    result = sell.notional - sell.fee - buy.notional - buy.fee
    formula = f"{sell.notional.normalize():f} - {sell.fee.normalize():f} - {_number(buy.notional)} - {buy.fee.normalize():f}"
    yield Step("resultatet, USDC", "the result, USDC", formula, f"{result.normalize():f}")


def pm_trend() -> Iterator[Step]:
    """A token that rises, and the other outcome that therefore falls."""
    rises = PmTrend().signal(reading((0.0, mid) for mid in RISING))
    falls = PmTrend().signal(reading((0.0, 1 - mid) for mid in RISING))
    first, last = RISING[0], RISING[-1]
    yield Step("tokenens rörelse, %", "the token's move, %", f"({last:g} / {first:g} - 1) * 100", _number(rises.edge))
    formula = f"({1 - last:g} / {1 - first:g} - 1) * 100"
    yield Step("andra utfallets, %", "the other outcome's, %", formula, _number(falls.edge))


def pm_draw() -> Iterator[Step]:
    """A draw that the bookmakers think likelier than the market does."""
    p = 1 / DRAW_ODDS
    match = market(slug="some-match-draw")
    signal = PmDraw(baseline={"some-match-draw": p}).signal(reading([(0.0, DRAW_MID)], of=match))
    gone = p - PmDraw().edge_exit_points / 100
    yield Step("normalvärdet", "the baseline", f"1 / {DRAW_ODDS:.2f}", _number(signal.fair_p or 0))
    yield Step("edge, procentenheter", "edge, points", f"({_number(p)} - {DRAW_MID}) * 100", _number(signal.edge))
    yield Step("säljs vid mittkursen", "sold at the mid", f"{_number(p)} - 0.5 / 100", _number(gone))


def fair_model_steps() -> Iterator[Step]:
    """A market whose map entry says what it is worth."""
    yes = market(fair=FAIR_RANGE)
    no = market(fair=FAIR_RANGE.complement())
    bought = fair_model.signal(reading([(FUTURE, FAIR_MID)], of=yes))
    other = fair_model.signal(reading([(FUTURE, 1 - FAIR_MID)], of=no))
    assert bought is not None
    assert other is not None
    low, high = FAIR_RANGE.zero_at, FAIR_RANGE.one_at
    formula = f"({FUTURE:.0f} - {low}) / ({high} - {low})"
    yield Step("rimlig sannolikhet för Yes", "fair probability of Yes", formula, _number(bought.fair_p or 0))
    yield Step("edge för Yes", "edge of Yes", f"{bought.fair_p:g} - {FAIR_MID}", _number(bought.edge))
    yield Step("edge för No", "edge of No", f"{other.fair_p:g} - {1 - FAIR_MID:g}", _number(other.edge))


EXAMPLES = {"lead_lag": lead_lag, "pm_trend": pm_trend, "pm_draw": pm_draw, "fair_model": fair_model_steps}
"""By strategy."""
