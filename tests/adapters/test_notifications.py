"""Messages, couriers and real receivers: what is told arrives, and no receiver can delay who tells."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from pydantic import SecretStr

from adapters.notifications import AddressesInvalid, Couriers, notifier_of
from adapters.notifications.couriers import CLOSING_S, MESSAGES, WAITING
from adapters.notifications.messages import Message, Tone, message_of
from domain.notice import Notice, NoticeKind
from tests.adapters.receivers import dead, hanging, receiving
from tests.builders import NOON_MS
from tests.entrypoints.processes import until


def notice(kind: NoticeKind = NoticeKind.FILL, text: str = "BUY", *, mended: bool = False) -> Notice:
    """One thing to tell, of noon."""
    return Notice(kind=kind, text=text, at_ms=NOON_MS, mended=mended)


class Kept:
    """A receiver that keeps what it takes, once it is let."""

    def __init__(self) -> None:
        """Let it take everything at once."""
        self.messages: list[Message] = []
        self.free, self.reached = threading.Event(), threading.Event()
        self.free.set()

    def __call__(self, message: Message) -> bool:
        """Take one, when it is let."""
        self.reached.set()
        self.free.wait()
        self.messages.append(message)
        return True


def _has(messages: Sequence[Message], count: int) -> bool:
    """Whether so many have come."""
    return len(messages) >= count


def test_a_message_names_its_kinds_and_gives_each_notice_a_line_with_its_time() -> None:
    """A summary is of a day, everything else of a second (UTC)."""
    message = message_of([notice(), notice(NoticeKind.DAILY_SUMMARY, "equity 1000")], {})
    assert message.title == "spelar: fill, daily summary"
    assert message.body == "12:00:00 UTC BUY\n2026-03-02 equity 1000"


@pytest.mark.parametrize(
    ("notices", "tone"),
    [
        ([notice()], Tone.INFO),
        ([notice(NoticeKind.KILL_SWITCH)], Tone.WARNING),
        ([notice(NoticeKind.STALE, mended=True), notice()], Tone.SUCCESS),
        ([notice(), notice(NoticeKind.ERROR), notice(NoticeKind.STALE)], Tone.FAILURE),
    ],
)
def test_a_message_sounds_like_the_worst_of_its_notices(notices: Sequence[Notice], tone: Tone) -> None:
    """What is well again does not sound like trouble."""
    assert message_of(notices, {}).tone is tone


def test_a_name_cannot_forge_a_line() -> None:
    """Nor turn the text around."""
    body = message_of([notice(text="BUY\n12:00:00 UTC SELL\u202e")], {}).body
    assert body == "12:00:00 UTC BUY12:00:00 UTC SELL"


def test_what_is_too_much_for_a_message_is_counted() -> None:
    """Twenty lines, and the others by kind."""
    body = message_of([notice()] * 21 + [notice(NoticeKind.EXIT)] * 2, {NoticeKind.FILL: 4}).body
    assert body.splitlines()[20:] == ["and not told: 5 x fill, 2 x exit"]


def test_what_is_grave_is_not_crowded_out() -> None:
    """An error behind thirty fills: it is told, in its place, and one fill more is not."""
    *fills, last, untold = message_of([notice()] * 30 + [notice(NoticeKind.ERROR, "broken")], {}).body.splitlines()
    assert len(fills) == 19
    assert (last, untold) == ("12:00:00 UTC broken", "and not told: 11 x fill")


def test_what_comes_while_a_message_is_under_way_goes_with_the_next() -> None:
    """The first alone, the other two together."""
    kept = Kept()
    kept.free.clear()
    couriers = Couriers([kept])
    couriers.tell([notice(text="one")])
    assert kept.reached.wait(5)
    couriers.tell([notice(text="two")])
    couriers.tell([notice(text="three")])
    kept.free.set()
    couriers.close()
    assert [message.body.count("UTC") for message in kept.messages] == [1, 2]


def test_nothing_to_tell_is_not_told() -> None:
    """A quiet tick sends nothing and starts no thread."""
    kept = Kept()
    couriers = Couriers([kept])
    couriers.tell([])
    couriers.close()
    assert kept.messages == []


@pytest.mark.slow
def test_a_receiver_gets_so_many_messages_in_a_window_and_the_rest_in_one_after_it() -> None:
    """Twenty at once, then all that was held back together, when the window is over."""
    kept = Kept()
    couriers = Couriers([kept], window_s=3)
    began = time.monotonic()
    for n in range(MESSAGES + 30):
        couriers.tell([notice(text=f"fill {n}")])
        until(partial(_has, kept.messages, min(n + 1, MESSAGES)))
    assert len(kept.messages) == MESSAGES
    until(lambda: len(kept.messages) > MESSAGES)
    assert time.monotonic() - began >= 3
    assert kept.messages[-1].body.splitlines()[-1] == "and not told: 10 x fill"
    couriers.close()


def test_what_a_receiver_did_not_take_is_counted_in_the_next_message() -> None:
    """Refused, then an error of any kind, then taken."""
    answers: list[Callable[[], bool]] = [lambda: False, lambda: bool(1 // 0), lambda: True]
    taken: list[Message] = []

    def send(message: Message) -> bool:
        taken.append(message)
        return answers[len(taken) - 1]()

    couriers = Couriers([send])
    for n in range(3):
        couriers.tell([notice(NoticeKind.EXIT)])
        until(partial(_has, taken, n + 1))
    couriers.close()
    assert taken[2].body.splitlines()[1:] == ["and not told: 2 x exit"]


def test_a_receiver_that_hangs_delays_neither_who_tells_nor_another_receiver_nor_the_end_for_long() -> None:
    """Ten thousand notices for one that never comes back."""
    stuck, kept = Kept(), Kept()
    stuck.free.clear()
    couriers = Couriers([stuck, kept])
    couriers.tell([notice()])
    assert stuck.reached.wait(5)
    for _ in range(10_000):
        couriers.tell([notice()])
    until(lambda: len(kept.messages) > 0)
    assert stuck.messages == []
    stuck.free.set()
    couriers.close()
    assert len(stuck.messages) == 2
    assert stuck.messages[1].body.endswith(f"and not told: {10_000 - 20} x fill")
    assert WAITING < 10_000


@pytest.mark.slow
def test_the_end_waits_two_seconds_for_all_receivers_together() -> None:
    """Three that hang."""
    stuck = Kept()
    stuck.free.clear()
    couriers = Couriers([stuck] * 3)
    couriers.tell([notice()])
    began = time.monotonic()
    couriers.close()
    assert CLOSING_S <= time.monotonic() - began < CLOSING_S + 1
    stuck.free.set()


@pytest.mark.slow
@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notification_of_each_kind_reaches_a_real_receiver(kind: NoticeKind) -> None:
    """Over HTTP, through Apprise."""
    with receiving() as receiver:
        notifier = notifier_of(SecretStr(receiver.url))
        notifier.tell([notice(kind, "so much for 5 < 6 & 7")])
        notifier.close()
        (message,) = receiver.messages
    assert message["title"] == f"spelar: {kind}"
    assert message["message"].endswith("so much for 5 < 6 & 7")
    assert message["type"] in {"info", "warning", "failure"}


@pytest.mark.slow
def test_a_dead_a_refusing_and_a_hanging_receiver_leave_the_others_alone() -> None:
    """Four addresses with blanks between them; telling takes no time, closing two seconds at most."""
    with receiving() as well, receiving(status=500) as refusing, hanging() as stuck:
        notifier = notifier_of(SecretStr(f"{dead()}  {refusing.url}\n{stuck} {well.url}"))
        began = time.monotonic()
        notifier.tell([notice()])
        assert time.monotonic() - began < 0.1
        until(lambda: len(well.messages) == 1, timeout_s=5)
        notifier.close()
        assert time.monotonic() - began < 8
        assert len(refusing.messages) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "seen"), [("CaNaRy0123", "without ://"), ("carrierpigeon://CaNaRy0123", "carrierpigeon://...")]
)
def test_an_address_that_apprise_does_not_know_is_refused_without_being_quoted(address: str, seen: str) -> None:
    """It is a secret even if it is wrong."""
    with pytest.raises(AddressesInvalid) as refused:
        notifier_of(SecretStr(f"json://localhost/ {address}"))
    assert f"address 2 ({seen})" in str(refused.value)
    assert "CaNaRy" not in str(refused.value)


def test_without_addresses_nobody_is_told() -> None:
    """And no thread is there that could."""
    before = set(threading.enumerate())
    nobody = notifier_of(None)
    nobody.tell([notice()])
    nobody.close()
    assert set(threading.enumerate()) <= before
