"""The taker fee: the venue's worked examples, and what it does with fractions."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fees import FREE, RATES_SINCE_2026_07_10, FeeSchedule, assumed_schedule

CRYPTO = FeeSchedule(rate=Decimal("0.07"))


@pytest.mark.parametrize(
    ("price", "fee"),
    [("0.50", "1.75"), ("0.10", "0.63"), ("0.20", "1.12"), ("0.30", "1.47"), ("0.40", "1.68"), ("0.90", "0.63")],
)
def test_a_hundred_shares_cost_what_the_venue_says(price: str, fee: str) -> None:
    """100 shares at rate 0.07 and exponent 1, the venue's own table."""
    assert CRYPTO.charged(shares=Decimal(100), price=Decimal(price)) == Decimal(fee)


@pytest.mark.parametrize(
    ("shares", "price", "fee"),
    [("0.01", "0.01", "0.00000"), ("1.23", "0.37", "0.02006"), ("0.999999", "0.99", "0.00069"), ("10", "0.51", "0.17493")],
)
def test_the_fee_is_cut_after_five_decimals(shares: str, price: str, fee: str) -> None:
    """Cut, never rounded: 1.23 x 0.07 x 0.2331 = 0.02006991, 0.999999 x 0.07 x 0.0099 = 0.00069299."""
    assert CRYPTO.charged(shares=Decimal(shares), price=Decimal(price)) == Decimal(fee)


def test_an_exponent_squares_what_price_contributes() -> None:
    """100 x 0.25 x (0.5 x 0.5)^2 = 1.5625."""
    steep = FeeSchedule(rate=Decimal("0.25"), exponent=Decimal(2))
    assert steep.charged(shares=Decimal(100), price=Decimal("0.50")) == Decimal("1.56250")
    assert steep.per_share(0.5) == 0.015625


def test_rate_zero_is_free() -> None:
    """Geopolitics, or a market without fees."""
    assert FREE.charged(shares=Decimal(100), price=Decimal("0.5")) == 0
    assert FREE.most(Decimal(100)) == 0
    assert FREE.per_share(0.5) == 0.0


@given(
    shares=st.decimals("0.000001", "10000", places=6),
    price=st.decimals("0.001", "0.999", places=3),
    exponent=st.sampled_from([Decimal(1), Decimal(2), Decimal("0.5")]),
)
def test_no_price_costs_more_than_one_half(shares: Decimal, price: Decimal, exponent: Decimal) -> None:
    """What a waiting order reserves is enough wherever it fills."""
    schedule = FeeSchedule(rate=Decimal("0.07"), exponent=exponent)
    assert 0 <= schedule.charged(shares=shares, price=price) <= schedule.most(shares)


@pytest.mark.parametrize(("rate", "exponent"), [("-0.01", "1"), ("1.01", "1"), ("0.07", "-1"), ("0.07", "11")])
def test_what_cannot_be_a_fee_is_refused(rate: str, exponent: str) -> None:
    """A wire field of another meaning must not become money."""
    with pytest.raises(ValueError, match="a fee has"):
        FeeSchedule(rate=Decimal(rate), exponent=Decimal(exponent))


@pytest.mark.parametrize(
    ("category", "rate"),
    [
        ("crypto_fees_v2", "0.07"),
        ("sports", "0.05"),
        ("Politics_x", "0.04"),
        ("geopolitics", "0"),
        ("", "0.07"),
        ("moon", "0.07"),
    ],
)
def test_an_unknown_schedule_is_assumed_by_category_and_flagged(category: str, rate: str) -> None:
    """A category that nobody knows pays the dearest rate; a guess is marked as one."""
    assumed = assumed_schedule(category)
    assert (assumed.rate, assumed.assumed) == (Decimal(rate), True)
    assert max(RATES_SINCE_2026_07_10.values()) == Decimal("0.07")
