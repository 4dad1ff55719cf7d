"""Receivers: where Apprise sends to, by address. It knows mail, Telegram, ntfy, Slack and a hundred more."""

import re
import warnings
from collections.abc import Iterable, Iterator
from functools import partial

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

from adapters.notifications.couriers import Send
from adapters.notifications.faults import AddressesInvalid
from adapters.notifications.messages import Message


def receivers_of(addresses: Iterable[str]) -> tuple[Send, ...]:
    """One for each address. Raises `AddressesInvalid`."""
    return tuple(_receivers(addresses))


def _receivers(addresses: Iterable[str]) -> Iterator[Send]:
    for number, address in enumerate(addresses, 1):
        # No threads of its own: Python would wait for them at the end, however long a receiver hangs.
        receiver = Apprise(asset=AppriseAsset(app_id="spelar", app_desc="spelar", app_url="", async_mode=False))
        with warnings.catch_warnings():
            # Its services are loaded now, and some of them use what a later Python will not have.
            warnings.simplefilter("ignore", DeprecationWarning)
            known = receiver.add(address)
        if not known:
            scheme = re.match(r"[a-z0-9+]{1,20}://", address)
            seen = f"{scheme[0]}..." if scheme else "without ://"
            raise AddressesInvalid(
                f"NOTIFY_URLS: address {number} ({seen}) is none that Apprise knows; "
                "it looks like ntfy://TOPIC or mailto://USER:PASSWORD@HOST"
            )
        yield partial(_send, receiver)


def _send(receiver: Apprise, message: Message) -> bool:
    kind = NotifyType(message.tone)
    return bool(receiver.notify(body=message.body, title=message.title, notify_type=kind, body_format=NotifyFormat.TEXT))
