"""How many shares an order asks for, against numbers computed by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.market import Level
from domain.sizing import Sizing
from tests.builders import SIZING, levels

FLAT = levels(["0.51", "0.52", "0.53"])
"""500 shares at 0.51, 0.52 and 0.53: the band up to one cent beyond the best holds 255 + 260 = 515 USDC, a tenth is 51.5."""

ROOM = Decimal(50)
HALF = Decimal("0.5")


def _sizing(shares: str = "10", *, hard_cap: Decimal = SIZING.hard_cap_usdc, fraction: str = "0.10") -> Sizing:
    return replace(SIZING, order_shares=Decimal(shares), hard_cap_usdc=hard_cap, max_fraction_of_band=Decimal(fraction))


@pytest.mark.parametrize(
    ("shares", "asked"), [("10", "10"), ("100", "100"), ("200", "100.98"), ("0", "100.98"), ("10.019", "10.01")]
)
def test_an_entry_is_the_order_size_cut_to_the_bands_budget(shares: str, asked: str) -> None:
    """51.5 USDC at 0.51 buy 100.98 shares; order size 0 asks for all of them."""
    assert _sizing(shares).entry_shares(FLAT) == Decimal(asked)


def test_the_budget_walks_on_into_dearer_levels() -> None:
    """A tenth of 10 x 0.50 + 1000 x 0.51 = 51.5; 5 buy ten shares, the other 46.5 buy 91.17 at 0.51."""
    thin = (*levels(["0.50"], 10), *levels(["0.51"], 1000))
    assert _sizing("0").entry_shares(thin) == Decimal("101.17")


def test_what_lies_beyond_the_band_does_not_count() -> None:
    """Two cents beyond the best with a cap of one cent: only 255 + 0 in the band."""
    assert _sizing("0").entry_shares(levels(["0.51", "0.53"])) == Decimal("50.00")


def test_the_hard_cap_is_in_usdc() -> None:
    """Five dollars at 0.51 buy 9.80 shares."""
    assert _sizing("0", hard_cap=Decimal(5)).entry_shares(FLAT) == Decimal("9.80")
    assert _sizing("10", hard_cap=Decimal(5)).entry_shares(FLAT) == Decimal("9.80")


def test_without_asks_there_is_nothing_to_buy() -> None:
    """An empty side has no budget."""
    assert _sizing("10").entry_shares(()) == 0


def test_without_orderbook_sizing_the_order_size_stands() -> None:
    """Whatever the book holds."""
    plain = replace(SIZING, banded=False)
    assert plain.entry_shares(levels(["0.51"], 1)) == 10
    assert plain.add_shares(levels(["0.51"], 1), multiple=HALF, room=ROOM) == 5


@pytest.mark.parametrize(
    ("shares", "room", "asked"),
    [
        ("10", "50", "5.00"),
        ("10", "3", "3.00"),
        ("10", "0", "0.00"),
        ("300", "500", "100.98"),
        ("0", "500", "50.49"),
        ("30", "5", "5"),
    ],
)
def test_an_add_is_half_the_uncut_order_size_cut_to_room_and_budget(shares: str, room: str, asked: str) -> None:
    """300 x 0.5 = 150 exceeds the budget's 100.98; with order size 0 the uncut size is the budget's."""
    assert _sizing(shares).add_shares(FLAT, multiple=HALF, room=Decimal(room)) == Decimal(asked)


ASKS = st.lists(
    st.tuples(st.integers(1, 99), st.decimals("0.01", "900", places=2)), min_size=1, max_size=6, unique_by=lambda a: a[0]
)


@given(asks=ASKS, cap=st.decimals("0.01", "50", places=2), fraction=st.sampled_from(["0.01", "0.10", "1"]))
def test_the_walked_cost_stays_within_the_budget_and_a_cent_share_more_would_not(
    asks: list[tuple[int, Decimal]], cap: Decimal, fraction: str
) -> None:
    """The largest size within min(hard cap, fraction of the band)."""
    side = tuple(Level(Decimal(cents) / 100, size) for cents, size in sorted(asks))
    band = [level for level in side if level.price <= side[0].price + SIZING.slippage_cap]
    budget = min(cap, Decimal(fraction) * sum(level.price * level.size for level in band))
    sizing = _sizing("0", hard_cap=cap, fraction=fraction)
    shares = sizing.entry_shares(side)
    whole = shares >= sum(level.size for level in band)
    assert _cost(band, shares) <= budget
    assert whole or _cost(band, shares + Decimal("0.01")) > budget


def _cost(side: list[Level], shares: Decimal) -> Decimal:
    cost = Decimal(0)
    for level in side:
        here = min(level.size, shares)
        cost += here * level.price
        shares -= here
    return cost + shares * side[-1].price
