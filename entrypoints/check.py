"""`spelar check`: configuration, map, clock and each source, a line each, before anything trades."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum

from adapters.clock import SystemClock
from adapters.discovery import Discovery
from adapters.notifications import AddressesInvalid
from adapters.polymarket_clob import server_time_ms
from domain.market import Market, OrderBook, Quote, TokenId, tokens_of
from domain.ports import OrderBooks, References, Unavailable
from domain.strategies import Strategy
from entrypoints.container import Container, map_entries
from entrypoints.settings import Settings

CLOCK_SKEW_LIMIT_S = 5.0


class Scope(StrEnum):
    """How far a check looks; each looks at what those above it look at."""

    SETTINGS = "settings"
    FILES = "files"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: what was looked at, whether it will do, and what was seen. A warning does not fail the check."""

    subject: str
    passed: bool
    seen: str
    warning: bool = False

    def __str__(self) -> str:
        """`ok    kraken_spot XBTUSD: 65432.1`."""
        word = "ok" if self.passed else "warn" if self.warning else "FAIL"
        return f"{word:<5} {self.subject}: {self.seen}"


async def check(settings: Settings, scope: Scope = Scope.NETWORK) -> AsyncIterator[Finding]:
    """Look at everything that a tick will need. Raises `MapInvalid` and `BaselineInvalid`."""
    yield Finding(subject="configuration", passed=True, seen=f"{settings.strategy_mode}, {settings.trading_mode}")
    if scope is Scope.SETTINGS:
        return
    entries = map_entries(settings)
    container = Container(settings=settings, clock=SystemClock(), entries=entries)
    where = settings.market_map_path or "no map; POLYMARKET_CLOB_TOKEN_ID"
    finds = settings.scan_enable and settings.scan_use_for_trading
    yield Finding(subject="market map", passed=bool(entries) or finds, seen=f"{where}: {len(entries)} markets")
    if settings.draw_baseline_file:
        container.baseline()
        yield Finding(subject="draw baseline", passed=True, seen=str(settings.draw_baseline_file))
    if settings.notify_urls is not None:
        yield _receivers(container, len(settings.notify_urls.get_secret_value().split()))
    if scope is Scope.NETWORK:
        async for finding in _sources(settings, container):
            yield finding


async def _sources(settings: Settings, container: Container) -> AsyncIterator[Finding]:
    """Each source, asked once for what a tick will ask."""
    try:
        if settings.scan_enable:
            yield await _scan(container.discovery())
        universe = container.universe()
        await universe.resolve()
        markets = universe.markets()
        for finding in _resolved(markets):
            yield finding
        strategy = container.rules().strategy
        for finding in _unfit(markets, strategy):
            yield finding
        books: dict[TokenId, OrderBook] = {}
        yield await _books(container.sources().books, markets, books)
        for market in markets:
            for finding in _book(market, books, strategy):
                yield finding
        async for finding in _references(container.references(), markets):
            yield finding
        yield await _clock_skew(container)
    finally:
        for client in container.clients():
            await client.aclose()


def _receivers(container: Container, count: int) -> Finding:
    """Whether Apprise knows every address; nobody is told anything."""
    try:
        container.notifier()
    except AddressesInvalid as error:
        return Finding(subject="notifications", passed=False, seen=str(error))
    return Finding(subject="notifications", passed=True, seen=f"{count} addresses; nothing was sent to them")


async def _scan(discovery: Discovery) -> Finding:
    """One scan; what it keeps for trading is looked at like the markets of the map."""
    try:
        candidates = await discovery.scan()
    except Unavailable as error:
        return Finding(subject="discovery", passed=False, seen=str(error))
    kept = sum(candidate.kept for candidate in candidates)
    return Finding(subject="discovery", passed=True, seen=f"{kept} of {len(candidates)} markets kept")


async def _clock_skew(container: Container) -> Finding:
    """Our clock against Polymarket's, which counts whole seconds."""
    ours_ms = container.clock().now().at_ms
    theirs_ms = await server_time_ms(container.clob_client())
    if theirs_ms is None:
        return Finding(subject="clock", passed=False, warning=True, seen="not compared: Polymarket does not tell the time")
    skew_s = (ours_ms - theirs_ms) / 1000
    return Finding(subject="clock", passed=abs(skew_s) <= CLOCK_SKEW_LIMIT_S, seen=f"{skew_s:+.1f} s against Polymarket's")


def _resolved(markets: Iterable[Market]) -> Iterable[Finding]:
    for market in markets:
        fee = f"fee {market.fees.rate} exponent {market.fees.exponent}{' (assumed)' if market.fees.assumed else ''}"
        seen = f"token {market.token[:12]}.., {fee}" if market.token else f"{market.ref} has no token for {market.outcome}"
        yield Finding(subject=f"market {market.label}", passed=market.token is not None, seen=seen)


def _unfit(markets: Iterable[Market], strategy: Strategy) -> Iterable[Finding]:
    """Markets that the strategy can never enter, whatever their prices, and why."""
    for market in markets:
        reasons = (
            (strategy.draws and market.match_draw is False, "is not the draw of a whole match: never entered (not_3way)"),
            (strategy.hedges and market.fair is None, "has no fair_model in the map: never entered (missing_fair_model)"),
            (
                strategy.needs_reference(market) and market.reference is None,
                "has no kraken_futures symbol in the map: never entered (missing_reference)",
            ),
        )
        for unfit, seen in reasons:
            if unfit:
                yield Finding(subject=f"strategy {market.label}", passed=False, warning=True, seen=seen)


async def _books(source: OrderBooks, markets: tuple[Market, ...], into: dict[TokenId, OrderBook]) -> Finding:
    tokens = list(dict.fromkeys(tokens_of(markets)))
    try:
        into.update(await source.books(tokens))
    except Unavailable as error:
        return Finding(subject="polymarket_clob", passed=False, seen=str(error))
    return Finding(subject="polymarket_clob", passed=bool(into), seen=f"{len(into)} of {len(tokens)} books")


def _book(market: Market, books: dict[TokenId, OrderBook], strategy: Strategy) -> Iterable[Finding]:
    """The market's quote, and whether the configured minimum edge pays for a round trip in it."""
    book = books.get(market.token) if market.token else None
    quote = Quote.of(book) if book else None
    if quote is None:
        yield Finding(subject=f"book {market.label}", passed=False, warning=True, seen="no two-sided book now")
        return
    yield Finding(subject=f"book {market.label}", passed=quote.spread > 0, seen=f"{quote.bid} / {quote.ask}")
    if market.three_way:
        seen = [leg.slug for leg in market.three_way.legs if leg.token in books and Quote.of(books[leg.token])]
        yield Finding(
            subject=f"match {market.three_way.event}",
            passed=len(seen) == len(market.three_way.legs),
            warning=True,
            seen=f"{len(seen)} of {len(market.three_way.legs)} two-sided books: {', '.join(seen)}",
        )
    fees = market.fees.per_share(float(quote.ask)) + market.fees.per_share(float(quote.bid))
    cost = strategy.unit.of_price(float(quote.spread) + fees, quote.mid)
    if strategy.edge_min < cost:
        yield Finding(
            subject=f"costs {market.label}",
            passed=False,
            warning=True,
            seen=f"a round trip costs {cost:.2f} {strategy.unit.value} (spread and two fees), and {strategy.edge_setting} is "
            f"only {strategy.edge_min:g}: LEAD_LAG_NET_EDGE_MIN_PCT can ask for more",
        )


async def _references(sources: dict[str, References], markets: tuple[Market, ...]) -> AsyncIterator[Finding]:
    for key in dict.fromkeys(market.reference for market in markets if market.reference):
        try:
            reference = await sources[key.source].reference(key.symbol, key.field)
        except Unavailable as error:
            yield Finding(subject=" ".join(filter(None, key)), passed=False, seen=str(error))
        else:
            yield Finding(subject=" ".join(filter(None, key)), passed=True, seen=f"{reference.price:g}")
