"""How many shares an order asks for: the order size, cut to a fraction of what lies near the best ask."""

from collections.abc import Iterable
from decimal import Decimal

from domain.fill import whole_steps
from domain.market import Level
from domain.value import value


@value
class Sizing:
    """The sizing rule of SPEC section 5. Shares, USDC and price units; `order_shares` 0 means the whole budget."""

    order_shares: Decimal
    banded: bool
    slippage_cap: Decimal
    max_fraction_of_band: Decimal
    hard_cap_usdc: Decimal

    def entry_shares(self, asks: Iterable[Level]) -> Decimal:
        """The size of an entry against these asks, best first: a multiple of 0.01 share."""
        if not self.banded:
            return whole_steps(self.order_shares)
        affordable = self._affordable(asks)
        return whole_steps(min(self.order_shares, affordable) if self.order_shares else affordable)

    def add_shares(self, asks: Iterable[Level], *, multiple: Decimal, room: Decimal) -> Decimal:
        """The size of an add: a multiple of the uncut order size, cut to the room under the total and to the budget."""
        levels = tuple(asks)
        affordable = self._affordable(levels) if self.banded else None
        uncut = self.order_shares or affordable or Decimal(0)
        wanted = min(uncut * multiple, room)
        return whole_steps(wanted if affordable is None else min(wanted, affordable))

    def _affordable(self, asks: Iterable[Level]) -> Decimal:
        """The largest size whose walked cost stays within the budget of the band."""
        band: list[Level] = []
        for level in asks:
            if band and level.price > band[0].price + self.slippage_cap:
                break
            band.append(level)
        in_band = sum((level.price * level.size for level in band), Decimal(0))
        budget = min(self.hard_cap_usdc, self.max_fraction_of_band * in_band)
        shares = Decimal(0)
        for level in band:
            here = min(level.size, budget / level.price)
            shares += here
            budget -= here * level.price
            if here < level.size:
                break
        return shares
