"""The taker fee: the venue's worked examples of each edition, and what it does with fractions."""

from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from domain.fees import EDITIONS, FREE, FeeSchedule, assumed_schedule, differs_from_table, stated_schedule

CRYPTO = FeeSchedule(rate=Decimal("0.07"))
CENT = Decimal("0.01")
SHARES = st.decimals("0.000001", "10000000", places=6)
PRICES = st.decimals("0.0001", "0.9999", places=4)
EXPONENTS = st.sampled_from(["0", "0.5", "1", "1.0", "2", "10"]).map(Decimal)


def ms(day: str) -> int:
    """Midnight UTC of a day, ms since the epoch."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


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
    shares=SHARES, price=PRICES, rate=st.decimals("0", "1", places=4), exponent=st.sampled_from([1, 2]), notional=st.booleans()
)
def test_the_fee_is_the_exact_product_cut_to_steps(
    shares: Decimal, price: Decimal, rate: Decimal, exponent: int, notional: bool
) -> None:
    """No digit is lost before the cut, however long size and price are."""
    schedule = FeeSchedule(rate=rate, exponent=Decimal(exponent), of_notional=notional)
    with localcontext(prec=80):
        exact = shares * rate * (price * (1 - price)) ** exponent * (price if notional else 1)
        cut = exact.quantize(Decimal("0.00001"), rounding=ROUND_DOWN)
    assert schedule.charged(shares=shares, price=price) == cut


def test_a_product_just_below_a_step_is_not_rounded_up_to_it() -> None:
    """9.99..9 (28 digits) x 0.8 x 0.25 is 1.99..98 (29 digits): rounded to 28 it would be 2."""
    schedule = FeeSchedule(rate=Decimal("0.8"), step=Decimal(1))
    assert schedule.charged(shares=Decimal("9.999999999999999999999999999"), price=Decimal("0.5")) == 1


@given(shares=SHARES, price=PRICES, exponent=EXPONENTS, notional=st.booleans())
def test_no_price_costs_more_than_the_most(shares: Decimal, price: Decimal, exponent: Decimal, notional: bool) -> None:
    """What a waiting order reserves is enough wherever it fills."""
    schedule = FeeSchedule(rate=Decimal("0.07"), exponent=exponent, of_notional=notional)
    assert 0 <= schedule.charged(shares=shares, price=price) <= schedule.most(shares)


@pytest.mark.parametrize(
    ("exponent", "notional", "price"),
    [("1", False, "0.5"), ("2", False, "0.5"), ("1", True, "0.6667"), ("2", True, "0.6"), ("0.5", True, "0.75")],
)
def test_the_most_is_what_the_dearest_price_costs(exponent: str, notional: bool, price: str) -> None:
    """With the price as a factor the dearest price lies above one half; a reserve of much more would be no answer either."""
    schedule = FeeSchedule(rate=Decimal("0.25"), exponent=Decimal(exponent), of_notional=notional)
    most, there = schedule.most(Decimal(100)), schedule.charged(shares=Decimal(100), price=Decimal(price))
    assert 0 <= most - there <= Decimal("0.00001")


@given(price=PRICES, exponent=EXPONENTS, notional=st.booleans())
def test_the_estimate_per_share_is_a_millionth_of_what_a_million_cost(
    price: Decimal, exponent: Decimal, notional: bool
) -> None:
    """The same formula in floats."""
    schedule = FeeSchedule(rate=Decimal("0.07"), exponent=exponent, of_notional=notional)
    charged = schedule.charged(shares=Decimal(1_000_000), price=price)
    assert schedule.per_share(float(price)) * 1_000_000 == pytest.approx(float(charged), rel=1e-9, abs=1.01e-5)


@pytest.mark.parametrize(("rate", "exponent"), [("-0.01", "1"), ("1.01", "1"), ("0.07", "-1"), ("0.07", "11")])
def test_what_cannot_be_a_fee_is_refused(rate: str, exponent: str) -> None:
    """A wire field of another meaning must not become money."""
    with pytest.raises(ValueError, match="a fee has"):
        FeeSchedule(rate=Decimal(rate), exponent=Decimal(exponent))
    with pytest.raises(ValueError, match="a fee has"):
        stated_schedule(Decimal(rate), Decimal(exponent))


def test_a_step_of_nothing_is_refused() -> None:
    """It could not be cut to."""
    with pytest.raises(ValueError, match="a fee's step"):
        FeeSchedule(rate=Decimal("0.07"), step=Decimal(0))


def test_a_schedule_of_an_older_ledger_is_read_with_todays_formula() -> None:
    """A text without the formula was written when there was only one; a text with it is read back equal."""
    stored = TypeAdapter(FeeSchedule)
    assert stored.validate_json('{"rate":"0.07","exponent":"1","assumed":false}') == CRYPTO
    for schedule in (CRYPTO, assumed_schedule("crypto", ms("2026-03-02"))):
        assert stored.validate_json(stored.dump_json(schedule)) == schedule


def test_editions_begin_at_midnight_utc_one_after_the_other() -> None:
    """The dates and the milliseconds say the same."""
    assert [edition.since_ms for edition in EDITIONS] == [ms(edition.day) for edition in EDITIONS]
    assert list(EDITIONS) == sorted(EDITIONS, key=lambda edition: edition.since_ms)


PUBLISHED = (
    ("2026-01-04", "crypto", {"0.50": "0"}),
    ("2026-01-05", "crypto", {"0.05": "0.003", "0.10": "0.02", "0.25": "0.22", "0.50": "0.78", "0.60": "0.86", "0.95": "0.05"}),
    ("2026-02-18", "crypto", {"0.50": "0.78"}),
    ("2026-02-18", "sports", {"0.20": "0.06", "0.35": "0.14", "0.50": "0.22", "0.65": "0.26", "0.99": "0.02"}),
    ("2026-03-30", "crypto", {"0.10": "0.06", "0.50": "0.90", "0.65": "1.06", "0.99": "0.07"}),
    ("2026-03-30", "sports", {"0.20": "0.10", "0.45": "0.33", "0.70": "0.44"}),
    ("2026-03-30", "finance", {"0.25": "0.19", "0.50": "0.50", "0.65": "0.59"}),
    ("2026-03-31", "crypto", {"0.10": "0.65", "0.50": "1.80", "0.75": "1.35"}),
    ("2026-03-31", "sports", {"0.10": "0.27", "0.50": "0.75"}),
    ("2026-03-31", "weather", {"0.01": "0.25", "0.10": "0.75", "0.50": "1.25"}),
    ("2026-03-31", "general", {"0.50": "1.25"}),
    ("2026-04-16", "crypto", {"0.50": "1.80"}),
    ("2026-04-16", "politics", {"0.30": "0.84", "0.50": "1.00"}),
    ("2026-04-28", "crypto", {"0.05": "0.33", "0.10": "0.63", "0.20": "1.12", "0.50": "1.75"}),
    ("2026-04-28", "sports", {"0.10": "0.27", "0.50": "0.75"}),
    ("2026-07-10", "sports", {"0.01": "0.05", "0.30": "1.05", "0.50": "1.25"}),
    ("2026-07-10", "economics", {"0.50": "1.25"}),
    ("2026-07-10", "mentions", {"0.50": "1.00"}),
    ("2026-07-10", "geopolitics", {"0.50": "0"}),
)
"""What 100 shares cost by price, as the venue's page showed it in cents (tenths of a cent where it did)."""


@pytest.mark.parametrize(("day", "category", "table"), PUBLISHED)
def test_each_edition_charges_what_its_page_showed(day: str, category: str, table: dict[str, str]) -> None:
    """From its first midnight on."""
    schedule = assumed_schedule(f"{category}_fees", ms(day))
    for price, fee in table.items():
        charged = schedule.charged(shares=Decimal(100), price=Decimal(price))
        assert charged.quantize(Decimal(fee), rounding=ROUND_HALF_UP) == Decimal(fee)


def test_the_fee_had_four_decimals_before_the_last_of_march() -> None:
    """100 at one half: 0.78125 and 1.80."""
    assert str(assumed_schedule("crypto", ms("2026-03-31") - 1).charged(shares=Decimal(1), price=Decimal("0.37"))) == "0.0062"
    assert str(assumed_schedule("crypto", ms("2026-03-31")).charged(shares=Decimal(1), price=Decimal("0.37"))) == "0.01678"
    assert str(assumed_schedule("crypto", ms("2026-03-02")).charged(shares=Decimal(100), price=Decimal("0.5"))) == "0.7812"


def test_a_markets_own_numbers_meet_the_formula_of_the_day() -> None:
    """0.25 with exponent 2, as markets of 2026-03-02 said: half of it a month later."""
    rate, exponent = Decimal("0.25"), Decimal(2)
    then = stated_schedule(rate, exponent, category="crypto_15_min", at_ms=ms("2026-03-02"))
    assert (then, then.assumed) == (FeeSchedule(rate=rate, exponent=exponent, of_notional=True, step=Decimal("0.0001")), False)
    assert stated_schedule(rate, exponent) == FeeSchedule(rate=rate, exponent=exponent)
    assert stated_schedule(rate, exponent, at_ms=ms("2026-03-31")) == stated_schedule(rate, exponent)


@pytest.mark.parametrize(
    ("category", "rate"),
    [
        ("crypto_fees_v2", "0.07"),
        ("crypto_15_min", "0.07"),
        ("sports", "0.05"),
        ("sports_fees_v3", "0.05"),
        ("finance_prices_fees", "0.04"),
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


@pytest.mark.parametrize("day", [edition.day for edition in EDITIONS])
def test_an_unknown_category_pays_no_less_than_any_other_at_one_half(day: str) -> None:
    """Not the highest number: 0.25 with exponent 2 costs less than 0.072 with exponent 1."""
    unknown = assumed_schedule("moon", ms(day)).per_share(0.5)
    edition = next(edition for edition in EDITIONS if edition.day == day)
    assert unknown == max((assumed_schedule(name, ms(day)).per_share(0.5) for name in edition.rates), default=0.0)


def test_a_time_before_all_editions_is_free() -> None:
    """A clock of before 1970 is no reason to fail."""
    assert assumed_schedule("crypto", -1).charged(shares=Decimal(100), price=Decimal("0.5")) == 0


@pytest.mark.parametrize(
    ("category", "schedule", "day", "said"),
    [
        ("crypto_fees_v2", CRYPTO, None, None),
        ("crypto_fees_v2", stated_schedule(Decimal("0.070"), Decimal("1.0")), None, None),
        ("sports_fees_v2", stated_schedule(Decimal("0.03"), Decimal(1)), "2026-07-09", None),
        ("geopolitics", FREE, None, None),
        ("crypto_fees_v2", FREE, None, None),
        ("crypto_fees_v2", assumed_schedule("crypto", ms("2026-04-01")), None, None),
        ("", FeeSchedule(rate=Decimal("0.9")), None, None),
        (
            "crypto_fees_v2",
            FeeSchedule(rate=Decimal("0.080")),
            None,
            "crypto_fees_v2: the market charges 0.08 exponent 1, the table of 2026-07-10 says 0.07 exponent 1",
        ),
        (
            "sports_fees_v2",
            FeeSchedule(rate=Decimal("0.05")),
            "2026-07-09",
            "sports_fees_v2: the market charges 0.05 exponent 1, the table of 2026-04-28 says 0.03 exponent 1",
        ),
        (
            "crypto_fees",
            FeeSchedule(rate=Decimal("0.07"), exponent=Decimal(2)),
            None,
            "crypto_fees: the market charges 0.07 exponent 2, the table of 2026-07-10 says 0.07 exponent 1",
        ),
        (
            "geopolitics_fees",
            FeeSchedule(rate=Decimal("0.04")),
            None,
            "geopolitics_fees: the market charges 0.04 exponent 1, the table of 2026-07-10 says 0 exponent 1",
        ),
        (
            "moon_fees",
            CRYPTO,
            None,
            "moon_fees: the market charges 0.07 exponent 1, the table of 2026-07-10 does not know the category",
        ),
    ],
)
def test_a_market_that_differs_from_the_table_is_told_in_words(
    category: str, schedule: FeeSchedule, day: str | None, said: str | None
) -> None:
    """Free markets, guesses and markets without a category say nothing about the table."""
    assert differs_from_table(category, schedule, None if day is None else ms(day)) == said
