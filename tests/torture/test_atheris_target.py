"""The target that atheris is given, fed by hand: what a fuzzer finds on its first day is found here."""

from random import Random

import pytest

from tests.torture.atheris_target import consume, corpus
from tests.torture.mutations import BYTEWISE


@pytest.mark.slow
def test_nothing_leaves_the_target_for_whole_and_broken_payloads() -> None:
    """Every payload as it is, as bytes in another order, and under the numbers of other parsers."""
    dice = Random(7)
    payloads = list(corpus())
    for payload in payloads:
        consume(payload)
        consume(dice.choice(BYTEWISE)(payload, dice))
        consume(bytes([dice.randrange(256)]) + payload[1:])
        consume(payload[:1])
    consume(b"")
    assert len(payloads) > 50
