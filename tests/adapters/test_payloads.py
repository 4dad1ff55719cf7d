"""Every collected payload of both venues: a value of the domain, or refused for a known reason, or another one's business."""

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import (
    gamma_event,
    kraken_futures,
    kraken_futures_keys,
    kraken_spot,
    kraken_spot_keys,
    polymarket_clob,
    polymarket_gamma,
)
from adapters.http import Body
from adapters.key_rights import KeyRights
from adapters.wire_numbers import iso_ms, strict_json
from domain.market import ConditionId, Moment
from domain.ports import Unavailable

PAYLOADS = Path(__file__).resolve().parents[2].parent / "shared" / "payloads"
VENUES = ("polymarket", "kraken")
MOMENT = Moment(at_ms=1_790_000_000_000, elapsed_ms=0)

Row = tuple[Callable[[object], object], object]


def answer(json: object) -> Body:
    """The payload as an answer without a date."""
    return Body(json=json, status=200, requested=MOMENT)


def book(json: object) -> object:
    """Best bid and ask of one book."""
    parsed = polymarket_clob.parse_book(json, requested=MOMENT)
    return f"{parsed.bid} {parsed.ask}"


def books(json: object) -> object:
    """Best bids and asks of several books."""
    assert isinstance(json, list)
    return [book(row) for row in json]


def settled(json: object) -> object:
    """What a CLOB market pays, in the order of its tokens."""
    assert isinstance(json, dict)
    paid = polymarket_clob.parse_payouts(answer(json), ConditionId(json["condition_id"]))
    return [str(pays) for pays in paid.values()]


def listing(json: object) -> object:
    """A Gamma market in a line: outcomes, accepting, tick, fee rate, payouts."""
    found = polymarket_gamma.parse_listing(json)
    rate = f"{found.fees.rate}{' assumed' if found.fees.assumed else ''}"
    names = "/".join(name for name, _ in found.tokens)
    paid = "/".join(str(pays) for pays in found.payouts.values())
    return f"{names} {'open' if found.accepting else 'shut'} {found.tick_size} {rate} {paid}".strip()


def listings(json: object) -> object:
    """The Gamma markets of a list."""
    assert isinstance(json, list)
    return [listing(row) for row in json]


def event(json: object) -> object:
    """How many markets of one event are usable, and why the others are not."""
    assert isinstance(json, list)
    found = gamma_event.parse_event(json[0])
    return len(found.listings), found.refused


def spot(pair: str) -> Callable[[object], object]:
    """The price of a pair on Kraken Spot."""
    return lambda json: kraken_spot.parse_price(answer(json), pair)


def futures(symbol: str) -> Callable[[object], object]:
    """The price of a symbol on Kraken Futures, at the time of the answer itself."""

    def price(json: object) -> object:
        assert isinstance(json, dict)
        stamp = json.get("serverTime")
        server_ms = iso_ms(stamp) if stamp else None
        at_its_time = Body(json=json, status=200, requested=MOMENT, server_ms=server_ms)
        return kraken_futures.parse_price(kraken_futures.parse_tickers(at_its_time), symbol)

    return price


def beyond(parse: Callable[[Body], KeyRights | None]) -> Callable[[object], object]:
    """How many permissions of a key go beyond reading, None when the venue does not tell."""

    def count(json: object) -> object:
        rights = parse(answer(json))
        return None if rights is None or rights.beyond is None else len(rights.beyond)

    return count


PARSED: dict[str, Row] = {
    "clob_book__cookbook_0001_tick_truncated.json": (book, "invalid_book"),
    "clob_book__empty_template.json": (book, "None None"),
    "clob_book__nautilus_small.json": (book, "0.1 0.14"),
    "clob_book__new_5m_market_no_trades.json": (book, "0.49 0.51"),
    "clob_books__doc_yes_no_mirror.json": (books, ["0.03 0.97", "0.03 0.97"]),
    "clob_market__closed_winner.json": (settled, ["0", "1"]),
    "clob_market__open.json": (settled, []),
    "gamma_events__btc_updown_5m_resolved_1783425300.json": (event, (1, ())),
    "gamma_events__btc_updown_5m_resolved_1783500000.json": (event, (1, ())),
    "gamma_events__hype_updown_5m.json": (event, (1, ())),
    "gamma_events__negrisk_dem_nominee_2028.json": (event, (2, ())),
    "gamma_events__soccer_3way_bun-aug-koe-2026-02-27_live_in_play.json": (event, (3, ())),
    "gamma_market__btc5m_resolved_down_2026-07.json": (listing, "Up/Down shut 0.001 0.07 0/1"),
    "gamma_market__btc5m_resolved_up_2026-07.json": (listing, "Up/Down shut 0.001 0.07 1/0"),
    "gamma_market__btc_updown_5m_open_2026-03.json": (listing, "Up/Down open 0.01 0.07 assumed"),
    "gamma_market__closed_binary_accepting_false.json": (listing, "Yes/No shut 0.001 0 0/1"),
    "gamma_market__closed_binary_accepting_true.json": (listing, "Yes/No shut 0.01 0"),
    "gamma_market__closed_price_not_resolution_2020.json": (listing, "Yes/No shut None 0"),
    "gamma_market__closed_scalar_legacy_2020.json": (listing, "Long/Short shut None 0"),
    "gamma_market__sports_map_handicap.json": (listing, "FaZe/illwill shut 0.001 0.03 1/0"),
    "gamma_market__sports_moneyline_2way_esports.json": (listing, "FaZe/illwill shut 0.001 0.03 1/0"),
    "gamma_markets__list_general_fees_2026.json": (listings, ["Yes/No open 0.01 0.05"] * 2),
    "gamma_markets__list_open_2026.json": (listings, ["Yes/No open 0.01 0.05"] * 5),
    "gamma_events_keyset__doc_mls_companions.json": (listing, "invalid_market"),
    "spot_ticker__multi_XETHZUSD_XXBTZUSD_202403.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_ticker__single_XBTUSDT_20251111.json": (spot("XBTUSDT"), 105944.25),
    "spot_ticker__single_XXBTZUSD_asked_XBTUSD.json": (spot("XBTUSD"), 82998.95),
    "spot_error__cancel_only.json": (spot("XBTUSD"), "market_paused"),
    "spot_error__invalid_arguments_doc.json": (spot("XBTUSD"), "venue_error"),
    "spot_error__invalid_key.json": (spot("XBTUSD"), "venue_error"),
    "spot_error__invalid_key_null_result.json": (spot("XBTUSD"), "venue_error"),
    "spot_error__invalid_nonce.json": (spot("XBTUSD"), "venue_error"),
    "spot_error__invalid_signature.json": (spot("XBTUSD"), "venue_error"),
    "spot_error__permission_denied.json": (spot("XBTUSD"), "venue_error"),
    "spot_error__service_busy.json": (spot("XBTUSD"), "busy"),
    "spot_error__service_throttled.json": (spot("XBTUSD"), "throttled"),
    "spot_error__service_unavailable.json": (spot("XBTUSD"), "unavailable"),
    "spot_error__temporary_lockout.json": (spot("XBTUSD"), "venue_error"),
    "spot_error__too_many_requests.json": (spot("XBTUSD"), "rate_limited"),
    "spot_error__unknown_asset_pair_empty_result.json": (spot("XBTUSD"), "unknown_pair"),
    "futures_ticker__single_doc.json": (futures("PI_XBTUSD"), "invalid_body"),
    "futures_tickers__PF_XBTUSD_live_20260910.json": (futures("PF_XBTUSD"), 78288.74778169378),
    "futures_tickers__doc_missing_ask_and_index.json": (futures("in_xbtusd"), 21088.0),
    "futures_tickers__suspended_row.json": (futures("PF_XBTUSD"), "suspended"),
    "futures_error__apiLimitExceeded_doc.json": (futures("PF_XBTUSD"), "rate_limited"),
    "futures_error__authenticationError_live_20241115.json": (futures("PF_XBTUSD"), "venue_error"),
    "futures_error__insufficient_margin_500.json": (futures("PF_XBTUSD"), "venue_error"),
    "futures_error__nonceBelowThreshold.json": (futures("PF_XBTUSD"), "venue_error"),
    "futures_error__notFound_404.json": (futures("PF_XBTUSD"), "unknown_symbol"),
    "futures_error__parser_refusal_errors_list.json": (futures("PF_XBTUSD"), "venue_error"),
    "spot_private_apikeyinfo__snake_case.json": (beyond(kraken_spot_keys.parse_spot), 4),
    "futures_keycheck__ok_doc.json": (beyond(kraken_futures_keys.parse_check), None),
    "futures_accounts__doc.json": (beyond(kraken_futures_keys.parse_accounts), None),
    "futures_accounts__jkorf_numbers.json": (beyond(kraken_futures_keys.parse_accounts), None),
    "futures_history_401_unauthorized.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_success_but_refused_doc.json": (futures("PF_XBTUSD"), "invalid_body"),
}
"""Each file, who reads it, and what comes out: a value, or the kind of the refusal."""

NOT_OURS = {
    "clob_balance_allowance__": "private",
    "clob_batch_prices_history__": "history",
    "clob_clob_markets__": "the compact market, not asked",
    "clob_data_": "private",
    "clob_fee_rate__": "the legacy fee, not asked",
    "clob_prices_history__": "history",
    "clob_related_endpoints__": "prices that a book already tells",
    "data_trades__": "the Data API",
    "errors__": "quotes collected by hand",
    "gamma_public_search__": "search",
    "gamma_tags__": "tags",
    "rtds_": "a stream",
    "ws_": "a stream",
    "wsv2_": "a stream",
    "wsf1_": "a stream",
    "deribit_": "another venue",
    "spot_assetpairs__": "pairs, not asked",
    "spot_depth__": "depth, not asked",
    "spot_private_balance__": "private",
    "spot_private_tradevolume__": "private",
    "spot_private_wstoken__": "private",
    "spot_spread__": "spreads, not asked",
    "spot_systemstatus__": "status, not asked",
    "spot_time__": "time, not asked",
    "spot_trades__": "trades, not asked",
    "futures_funding__": "funding, not asked",
    "futures_instruments": "instruments, not asked",
    "futures_openpositions__": "private",
    "futures_orderbook__": "depth, not asked",
}
"""What no adapter of ours reads, by the beginning of the file's name."""

needs_payloads = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the collected payloads are not beside this checkout")


@needs_payloads
def test_every_file_is_in_the_table() -> None:
    """A payload that somebody adds must be read by someone, or be named as not ours; a row without a file is stale."""
    names = {path.name for venue in VENUES for path in (PAYLOADS / venue).glob("*.json*")}
    assert {name for name in names - PARSED.keys() if not name.startswith(tuple(NOT_OURS))} == set()
    assert PARSED.keys() - names == set()


@needs_payloads
@pytest.mark.parametrize("name", PARSED)
def test_a_payload_becomes_a_value_or_is_refused_for_its_reason(name: str) -> None:
    """As it would over HTTP, through the same strict JSON."""
    parse, expected = PARSED[name]
    path = next(path for venue in VENUES if (path := PAYLOADS / venue / name).exists())
    try:
        result = parse(strict_json(path.read_bytes()))
    except Unavailable as refused:
        result = refused.kind
    assert result == expected
