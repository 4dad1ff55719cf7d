"""Telling people: messages made of notices, and a courier for each receiver, off the tick's path."""

from pydantic import SecretStr

from adapters.notifications.couriers import Couriers
from adapters.notifications.faults import AddressesInvalid
from domain.ports import Notifier

__all__ = ["AddressesInvalid", "Couriers", "notifier_of"]


def notifier_of(addresses: SecretStr | None) -> Notifier:
    """Who tells these addresses, with spaces between them; without any, who tells nobody. Raises `AddressesInvalid`."""
    if addresses is None:
        return Couriers(())
    from adapters.notifications.receivers import receivers_of  # Apprise costs half a second and 20 MB: only who uses it pays

    return Couriers(receivers_of(addresses.get_secret_value().split()))
