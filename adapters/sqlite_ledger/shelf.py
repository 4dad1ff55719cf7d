"""Markets, each kept once under the digest of its text, however many ticks speak of it."""

import sqlite3
from hashlib import sha256

from adapters.sqlite_ledger.codecs import MARKET, market_text
from domain.market import Market

PUT = "INSERT INTO markets (digest, market) VALUES (?, ?) ON CONFLICT DO NOTHING"
ALL = "SELECT digest, market FROM markets"
FORGET = """
DELETE FROM markets WHERE digest NOT IN (
    SELECT market FROM trades
    UNION SELECT market FROM positions
    UNION SELECT each.value FROM verdicts, json_each(verdicts.markets) AS each
)
"""

DIGEST_DIGITS = 32


class MarketShelf:
    """Puts markets into the table when they are first seen, and remembers which ones are there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use this connection, within the caller's transaction."""
        self._connection = connection
        self._digests: dict[Market, str] = {}

    def digest_of(self, market: Market) -> str:
        """The digest under which the market is kept from now on."""
        known = self._digests.get(market)
        if known is not None:
            return known
        text = market_text(market)
        digest = _digest(text)
        self._connection.execute(PUT, (digest, text))
        self._digests[market] = digest
        return digest

    def forget_unused(self) -> None:
        """Remove the markets that no trade, position or kept verdict speaks of."""
        self._connection.execute(FORGET)
        self._digests.clear()

    def all(self) -> dict[str, Market]:
        """The kept markets by digest. Raises `ValueError` for a text that is not what its digest says."""
        markets = {}
        for digest, text in self._connection.execute(ALL):
            if _digest(text) != digest:
                raise ValueError(f"market {digest} was changed")
            markets[digest] = MARKET.validate_json(text)
        return markets


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]
