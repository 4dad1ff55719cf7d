"""A pretended holder of one share of every market that was ever followed, until that market has paid.

A recording without a trader knows nothing of positions. So that every later replay finds the books and the payout of whatever
it may hold, the feed is asked on behalf of this holder.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from domain.ledger import Ledger, Position
from domain.market import Market, Moment, TokenId

PAYOUT_WAIT_MS = 3_600_000
"""How long after its end a market is asked for its payout; some never say."""


class Followed:
    """The markets that were ever followed and have not paid yet, as positions."""

    def __init__(self) -> None:
        """None yet."""
        self._held: dict[TokenId, Position] = {}
        self._paid: set[TokenId] = set()

    def note(self, listed: Sequence[Market], payouts: Mapping[TokenId, Decimal], at: Moment) -> None:
        """Take in a tick: the markets of its map, and what it learned of payouts."""
        self._paid |= payouts.keys()
        for market in listed:
            if market.token is not None:
                self._held[market.token] = _share(market, market.token, at)

    def ledger(self, at_ms: int) -> Ledger:
        """Who holds one share of each, at this time (UTC ms)."""
        self._held = {
            token: position
            for token, position in self._held.items()
            if token not in self._paid and at_ms - (position.market.ends_at_ms or position.opened.at_ms) <= PAYOUT_WAIT_MS
        }
        return Ledger(opening_cash=Decimal(0), cash=Decimal(0), positions=self._held)


def _share(market: Market, token: TokenId, at: Moment) -> Position:
    return Position(
        market=market,
        token=token,
        shares=Decimal(1),
        cost=Decimal(0),
        entry_mid=0.5,
        last_mid=0.5,
        opened=at,
        last_fill=at,
    )
