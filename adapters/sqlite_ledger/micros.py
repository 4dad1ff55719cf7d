"""The door between the domain's decimals and the tables' whole micro-units. Nothing is rounded on the way."""

from decimal import Decimal

from domain.ledger import LawBroken

DECIMALS = 6


def micros(amount: Decimal) -> int:
    """USDC, shares or a price as whole micro-units. Raises `LawBroken` when that would round."""
    scaled = amount.scaleb(DECIMALS)
    whole = int(scaled)
    if whole != scaled:
        raise LawBroken(f"{amount} is not a whole number of micro-units")
    return whole


def decimal(whole: int) -> Decimal:
    """Micro-units as USDC, shares or a price."""
    return Decimal(whole).scaleb(-DECIMALS)
