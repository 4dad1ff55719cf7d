"""The fuzzer at a small size, and that it would find what it looks for."""

from decimal import Decimal
from random import Random

import pytest

from domain.market import Level, Reference
from tests.adapters.test_payloads import PAYLOADS, needs_payloads
from tests.builders import book, moment
from tests.torture.mutations import broken, whole
from tests.torture.payloads import Tally, figures, tortured
from tests.torture.seeds import collected, venue_seeds
from tests.torture.world import Flat, flaw, unlawful


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_six_thousand_broken_payloads_break_no_law() -> None:
    """Of every kind: parsers raise what they say, nothing trades, no number that is none comes out."""
    tally = tortured(seed=11, first=0, count=6_000, processes=1)
    assert [str(finding) for finding in tally.findings] == []
    assert figures(tally)["uncaught"] == 0
    assert tally.accepted.total() + tally.refused.total() == 6_000
    assert tally.accepted.total() > 500


@needs_payloads
def test_collected_payloads_are_among_what_is_broken() -> None:
    """Of every kind of answer; without them the fuzzer knows only what our own venues say."""
    counts, seeds = collected(), venue_seeds()
    assert [kind for kind, count in counts.items() if not count] == []
    assert {kind: len(seeds[kind]) > count for kind, count in counts.items()} == dict.fromkeys(counts, True)


def test_the_figures_say_how_many_were_collected() -> None:
    """None, where they do not lie beside this checkout."""
    assert figures(Tally())["collected_seeds"] == sum(collected().values())
    assert bool(sum(collected().values())) is PAYLOADS.is_dir()


def test_a_payload_is_broken_in_the_same_way_for_the_same_dice() -> None:
    """A finding can be made again; and hardly one payload stays whole."""
    good = whole(b'{"bids":[{"price":"0.5","size":"10"}],"asks":[],"n":null}')
    made = [broken(good, Random(number)) for number in range(200)]
    assert made == [broken(good, Random(number)) for number in range(200)]
    assert len(set(made)) > 150


def test_every_part_of_a_json_text_is_a_place() -> None:
    """Values, keys, members with their commas, elements."""
    content = b'{"a": [1, "x"], "b": {}}'
    parts = {(content[start:end], kind) for start, end, kind in whole(content).places}
    assert parts >= {
        (b"1", "value"),
        (b'"x"', "value"),
        (b'"a"', "key"),
        (b'"b": {}', "member"),
        (b"1, ", "element"),
        (content, "value"),
    }


@pytest.mark.parametrize("value", [float("nan"), [Decimal("Infinity")], {"a": (float("-inf"),)}, "\ud800", {"\udfff": 1}])
def test_a_number_that_is_none_is_found_wherever_it_is(value: object) -> None:
    """And so is a text that no file can hold."""
    assert flaw(value)
    assert not flaw([1.5, Decimal(1), "é", None, {"a": book()}])


def test_a_book_is_judged_anew() -> None:
    """As if the domain's own check were not there."""
    assert not unlawful(book())
    strange = book()
    strange.bids = (Level(Decimal("0.4"), Decimal(1)), Level(Decimal("0.5"), Decimal(1)))  # type: ignore[misc]
    assert unlawful(strange)


def test_the_flat_world_trades_when_it_should() -> None:
    """Else that nothing trades in it would prove nothing: a jump of 10 % is believed and bought, one of more is not."""
    flat = Flat()
    (bought, spike) = (flat.fed(Reference(price=price, requested=moment(60))) for price in (66_000.0, 66_001.0))
    assert bought is not None
    assert spike is not None
    assert [trade.action for trade in bought.trades] == ["BUY"]
    assert spike.trades == ()
