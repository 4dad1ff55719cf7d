"""Kraken's endpoints over a `Tape`, spot and futures."""

from adapters.simulated_venues import kraken_wire as kraken
from adapters.simulated_venues.tape import Tape
from adapters.simulated_venues.wire import Answer, Request


def spot_answer(tape: Tape, request: Request, now_ms: int) -> Answer | None:
    """Kraken Spot's answer (Time, SystemStatus, Ticker), None for a path that it does not serve."""
    name = request.path.removeprefix("/0/public/")
    if name == "Time":
        return Answer(200, kraken.spot_result(kraken.spot_time(now_ms)))
    if name == "SystemStatus":
        return Answer(200, kraken.spot_result(kraken.spot_status(now_ms)))
    if name == "Ticker":
        return Answer(200, _spot_tickers(tape, request.query.get("pair", ""), now_ms))
    return None


def _spot_tickers(tape: Tape, asked: str, now_ms: int) -> dict[str, object]:
    pairs = [kraken.pair_named(name) for name in asked.split(",")] if asked else list(tape.pairs)
    if not set(pairs) <= set(tape.pairs):
        return kraken.spot_error(kraken.UNKNOWN_PAIR)
    result: dict[str, object] = {}
    for pair in sorted(pairs):
        mid = tape.spot(pair, now_ms)
        if mid is None:
            return kraken.spot_error(kraken.UNAVAILABLE)
        result[kraken.SPOT_KEYS.get(pair, pair)] = kraken.spot_ticker(mid)
    return kraken.spot_result(result)


def futures_answer(tape: Tape, request: Request, now_ms: int) -> Answer | None:
    """Kraken Futures' answer (tickers and one ticker), None for a path or symbol that it does not serve."""
    head, _, symbol = request.path.removeprefix("/derivatives/api/v3/").partition("/")
    if head != "tickers" or not request.path.startswith("/derivatives/api/v3/"):
        return None
    rows: dict[str, object] = {}
    for name, pair in kraken.FUTURES_PAIRS.items():
        mid = tape.spot(pair, now_ms) if pair in tape.pairs else None
        if mid is not None:
            rows[name] = kraken.futures_row(name, mid, now_ms, tape.futures(name, now_ms) or {})
    if not symbol:
        return Answer(200, kraken.futures_envelope("tickers", list(rows.values()), now_ms))
    if symbol.upper() not in rows:
        return None
    return Answer(200, kraken.futures_envelope("ticker", rows[symbol.upper()], now_ms))
