"""Couriers: each carries messages to one receiver, in a thread of its own that may hang as long as it likes.

A tick only leaves its notices here. What came while a message was under way goes with the next one; what is too much for the
receiver, or was not taken, is counted and told with the next one that is.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence

from adapters.notifications.messages import Message, message_of
from domain.notice import Notice, NoticeKind

MESSAGES, WINDOW_S = 20, 600.0
"""How many messages one receiver gets at most in so many seconds."""

WAITING = 200
"""Notices that wait for one receiver at most."""

CLOSING_S = 2.0

Send = Callable[[Message], bool]
"""Hand a message over; whether it was taken. May block and raise."""


class Couriers:
    """Implements `domain.ports.Notifier`: one courier for each receiver."""

    def __init__(self, receivers: Iterable[Send], *, window_s: float = WINDOW_S) -> None:
        """Nothing is sent and no thread is there before something is told."""
        self._couriers = tuple(Courier(send, name=f"courier-{n}", window_s=window_s) for n, send in enumerate(receivers, 1))

    def tell(self, notices: Sequence[Notice]) -> None:
        """Leave these with every courier."""
        for courier in self._couriers:
            courier.carry(notices)

    def close(self) -> None:
        """Let all of them finish side by side; who has not by then is left behind."""
        until_s = time.monotonic() + CLOSING_S
        for courier in self._couriers:
            courier.finish()
        for courier in self._couriers:
            courier.join(max(0.0, until_s - time.monotonic()))


class Courier:
    """Carries to one receiver."""

    def __init__(self, send: Send, *, name: str, window_s: float) -> None:
        """At most `MESSAGES` in any `window_s` seconds."""
        self._send, self._window_s = send, window_s
        self._waiting: list[Notice] = []
        self._untold: Counter[NoticeKind] = Counter()
        self._sent_s: deque[float] = deque(maxlen=MESSAGES)
        self._changed = threading.Condition()
        self._finishing = False
        self._thread = threading.Thread(target=self._carry_on, name=name, daemon=True)

    def carry(self, notices: Sequence[Notice]) -> None:
        """Take these along. Never waits for the receiver."""
        if not notices:
            return
        with self._changed:
            room = max(0, WAITING - len(self._waiting))
            self._waiting += notices[:room]
            self._untold.update(notice.kind for notice in notices[room:])
            self._changed.notify()
        if self._thread.ident is None:
            self._thread.start()

    def finish(self) -> None:
        """Carry what is there, then end."""
        with self._changed:
            self._finishing = True
            self._changed.notify()

    def join(self, within_s: float) -> None:
        """Wait for the end for so long."""
        if self._thread.ident is not None:
            self._thread.join(within_s)

    def _carry_on(self) -> None:
        while notices := self._next():
            with self._changed:
                untold, self._untold = self._untold, Counter()
            if not self._taken(message_of(notices, untold)):
                with self._changed:
                    self._untold += untold + Counter(notice.kind for notice in notices)

    def _next(self) -> Sequence[Notice]:
        """What goes into the next message, as soon as one may be sent; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finishing)
            wait_s = self._wait_s()
            if wait_s > 0:
                self._changed.wait_for(lambda: self._finishing, wait_s)
            notices, self._waiting = self._waiting, []
            return notices

    def _wait_s(self) -> float:
        """How long the receiver is to be left alone."""
        if len(self._sent_s) < MESSAGES:
            return 0.0
        return self._sent_s[0] + self._window_s - time.monotonic()

    def _taken(self, message: Message) -> bool:
        self._sent_s.append(time.monotonic())
        try:
            return self._send(message)
        except Exception as error:  # noqa: BLE001 - Apprise's hundred services raise what they will, and no tick may miss it
            logging.getLogger(__name__).warning("a notification was not sent: %s", type(error).__name__)
            return False
