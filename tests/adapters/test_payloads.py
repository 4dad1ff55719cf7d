"""Every collected payload of both venues: a value of the domain, or refused for a known reason, or another one's business."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import (
    gamma_event,
    gamma_wire,
    kraken_futures,
    kraken_spot,
    polymarket_clob,
    polymarket_gamma,
)
from adapters.candidates import Wishes, judged
from adapters.http import Body
from adapters.keys import kraken_futures as kraken_futures_keys
from adapters.keys import kraken_spot as kraken_spot_keys
from adapters.keys import polymarket as polymarket_keys
from adapters.keys.rights import KeyRights
from adapters.wire_numbers import iso_ms, strict_json
from domain.market import ConditionId, Moment
from domain.ports import Unavailable
from tests.adapters.damages import damages

PAYLOADS = Path(__file__).resolve().parents[2].parent / "shared" / "payloads"
VENUES = ("polymarket", "kraken")
MOMENT = Moment(at_ms=1_790_000_000_000, elapsed_ms=0)

EVERYTHING = Wishes(
    limit=1_000, binary_only=False, draws_only=False, min_liquidity_usdc=None, max_spread=None, falling_words_refused=False
)

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
    condition = ConditionId(str(json.get("condition_id")) if isinstance(json, dict) else "")
    return [str(pays) for pays in (polymarket_clob.parse_payouts(answer(json), condition) or {}).values()]


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
    """How many markets of one event are usable, why the others are not, and the match that they make."""
    (row,) = gamma_wire.rows_of(json)
    found = gamma_event.parse_event(row)
    codes = tuple(leg.slug.rpartition("-")[2] for leg in found.three_way.legs) if found.three_way else ()
    return len(found.listings), found.refused, *codes


def page(json: object) -> object:
    """What discovery reads of a page: its events, and what it would make of each market."""
    found = gamma_event.parse_page(answer(json))
    met = judged(found.events, EVERYTHING, MOMENT)
    return len(found.events), [f"{candidate.slug} {candidate.reason}" for candidate in met], found.cursor, found.more


def spot(pair: str) -> Callable[[object], object]:
    """The price of a pair on Kraken Spot."""
    return lambda json: kraken_spot.parse_price(answer(json), pair)


def futures(symbol: str) -> Callable[[object], object]:
    """The price of a symbol on Kraken Futures, at the time of the answer itself."""

    def price(json: object) -> object:
        stamp, server_ms = json.get("serverTime") if isinstance(json, dict) else None, None
        with suppress(ValueError):
            server_ms = iso_ms(stamp)
        at_its_time = Body(json=json, status=200, requested=MOMENT, server_ms=server_ms)
        return kraken_futures.parse_price(kraken_futures.parse_tickers(at_its_time), symbol)

    return price


def beyond(parse: Callable[[Body], KeyRights | None]) -> Callable[[object], object]:
    """How many permissions of a key go beyond reading, None when the venue does not tell."""

    def count(json: object) -> object:
        rights = parse(answer(json))
        return None if rights is None or rights.beyond is None else len(rights.beyond)

    return count


def l2_key(json: object) -> object:
    """That a Polymarket key was accepted."""
    polymarket_keys.parse_keys(answer(json))
    return "accepted"


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
    "gamma_events__soccer_3way_bun-aug-koe-2026-02-27_live_in_play.json": (event, (3, (), "aug", "draw", "koe")),
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
    "gamma_events_keyset__doc_mls_companions.json": (page, (6, [], "", False)),
    "gamma_public_search__bitcoin.json": (page, (1, ["bitcoin-above-64k-on-march-11 kept"], "", True)),
    "gamma_tags__list.json": (page, "invalid_event"),
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
    "clob_batch_prices_history__shape.json": (book, "invalid_book"),
    "clob_clob_markets__doc_example.json": (settled, "invalid_body"),
    "clob_fee_rate__zero.json": (book, "invalid_book"),
    "clob_prices_history__dup_point.json": (book, "invalid_book"),
    "clob_related_endpoints__verbatim_2026-08-10.json": (book, "invalid_book"),
    "data_trades__btc15m.json": (page, "invalid_event"),
    "data_trades__nautilus.json": (page, "invalid_event"),
    "errors__doc_trading_modes.json": (book, "invalid_book"),
    "errors__verbatim.json": (book, "invalid_book"),
    "rtds_crypto_prices_twap_thirty__doc.json": (book, "invalid_book"),
    "rtds_crypto_prices_update.json": (book, "invalid_book"),
    "ws_best_bid_ask.json": (book, "invalid_book"),
    "ws_book__initial_dump_with_tick.json": (book, "0.51 0.52"),
    "ws_book__mid_no_tick_field.json": (book, "0.51 0.52"),
    "ws_book__one_sided_asks_only.json": (book, "None 0.01"),
    "ws_book__one_sided_bids_only.json": (book, "0.99 None"),
    "ws_book__three_decimal_prices.json": (book, "0.001 0.008"),
    "ws_last_trade_price__nautilus.json": (book, "invalid_book"),
    "ws_last_trade_price__verbatim.json": (book, "invalid_book"),
    "ws_market__doc_frames.json": (book, "invalid_book"),
    "ws_market_resolved__stock.json": (book, "invalid_book"),
    "ws_new_market__stock_ladder.json": (book, "invalid_book"),
    "ws_price_change__new_schema.json": (book, "invalid_book"),
    "ws_price_change__old_schema.json": (book, "invalid_book"),
    "ws_price_change__verbatim_both_tokens.json": (book, "invalid_book"),
    "ws_tick_size_change__nautilus.json": (book, "invalid_book"),
    "ws_user_order.json": (book, "invalid_book"),
    "ws_user_trade.json": (book, "invalid_book"),
    "ws_user_trade__captured.json": (book, "invalid_book"),
    "deribit_book_summary__live_20260816_null_bid.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_book_summary__live_20260918_trimmed.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_dvol.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_error__invalid_params.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_error__too_many_requests.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_instrument__option_testnet.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_instruments__BTC_2021_excerpt.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_order_book__BTC-PERPETUAL.json": (futures("PF_XBTUSD"), "invalid_body"),
    "deribit_ticker__BTC_options_2021.jsonl": (futures("PF_XBTUSD"), "not_json"),
    "deribit_time.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_funding__history.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_instruments__2021_full.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_instruments__nautilus.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_instruments__no_fee_schedule.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_instruments_status__one.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_orderbook__PI_full.json": (futures("PF_XBTUSD"), "invalid_body"),
    "futures_orderbook__small_fixture.json": (futures("PF_XBTUSD"), "invalid_body"),
    "spot_assetpairs__XBTUSDT_20251111.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_assetpairs__excerpt_2021.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_assetpairs__tokenized_xstock.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_depth__XBTUSDT_20251111.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_depth__jkorf.json": (spot("XBTUSD"), "invalid_body"),
    "spot_spread__XXBTZUSD.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_systemstatus__online.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_time__20251111.json": (spot("XBTUSD"), "wrong_pair"),
    "spot_trades__XBTUSDT_last20_20251111.json": (spot("XBTUSD"), "wrong_pair"),
    "wsf1_book__delta.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_book__snapshot.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_book_snapshot__captured.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_challenge__ok.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_error__json.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_info.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_ticker__PI_XBTUSD.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_ticker_lite__captured.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsf1_trade_snapshot__captured.json": (futures("PF_XBTUSD"), "invalid_body"),
    "wsv2_book__snapshot_MATIC.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_book__snapshot_btcusd_20230730.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_book__snapshot_checksum_3310070434.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_book__update_MATIC.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_heartbeat.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_pong.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_status__online.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_subscribe_error__XBT_not_supported.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_ticker__snapshot.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_ticker__snapshot_btcusd_fixture.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_ticker__subscribe_ack.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_ticker__subscribe_request.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_ticker__update.json": (spot("XBTUSD"), "invalid_body"),
    "wsv2_trade__update.json": (spot("XBTUSD"), "invalid_body"),
    "clob_balance_allowance__collateral.json": (l2_key, "invalid_body"),
    "clob_data_orders__page.json": (l2_key, "invalid_body"),
    "clob_data_trades__page.json": (l2_key, "invalid_body"),
    "futures_openpositions__jkorf.json": (beyond(kraken_futures_keys.parse_accounts), "invalid_body"),
    "futures_openpositions__nautilus.json": (beyond(kraken_futures_keys.parse_accounts), "invalid_body"),
    "spot_private_balance__ok.json": (beyond(kraken_spot_keys.parse_spot), None),
    "spot_private_tradevolume__XXBTZUSD.json": (beyond(kraken_spot_keys.parse_spot), None),
    "spot_private_wstoken__ok.json": (beyond(kraken_spot_keys.parse_spot), None),
}
"""Each file, who reads it, and what comes out: a value, or the kind of the refusal."""

READERS: tuple[Callable[[object], object], ...] = (
    book,
    settled,
    listing,
    lambda json: gamma_event.parse_event(json),
    page,
    spot("XBTUSD"),
    futures("PF_XBTUSD"),
    l2_key,
    lambda json: polymarket_keys.parse_closed_only(answer(json)),
    beyond(kraken_spot_keys.parse_spot),
    beyond(kraken_futures_keys.parse_check),
    beyond(kraken_futures_keys.parse_accounts),
)
"""Every parser of what a venue answers."""


def outcome(read: Callable[[object], object], content: bytes) -> object:
    """As it would be over HTTP, through the same strict JSON: a value, or the kind of the refusal. Nothing else may come."""
    try:
        json = strict_json(content)
    except ValueError:
        return "not_json"
    try:
        return read(json)
    except Unavailable as refused:
        return refused.kind


def content_of(name: str) -> bytes:
    """A payload's bytes."""
    return next(path for venue in VENUES if (path := PAYLOADS / venue / name).exists()).read_bytes()


def names() -> tuple[str, ...]:
    """Every payload."""
    return tuple(sorted(path.name for venue in VENUES for path in (PAYLOADS / venue).glob("*.json*")))


needs_payloads = pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the collected payloads are not beside this checkout")


@needs_payloads
def test_every_file_is_in_the_table() -> None:
    """A payload that somebody adds must be read by someone; a row without a file is stale."""
    assert PARSED.keys() == set(names())


@needs_payloads
@pytest.mark.parametrize("name", PARSED)
def test_a_payload_becomes_a_value_or_is_refused_for_its_reason(name: str) -> None:
    """Those of streams, other venues and other endpoints are given to the nearest reader, as a confused venue might."""
    read, expected = PARSED[name]
    assert outcome(read, content_of(name)) == expected


@needs_payloads
def test_every_reader_takes_or_refuses_every_payload() -> None:
    """No file makes any parser raise anything but `Unavailable`."""
    for content in map(content_of, names()):
        for read in READERS:
            outcome(read, content)


@needs_payloads
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_reader_takes_or_refuses_a_damaged_payload(data: st.DataObject) -> None:
    """Fields dropped, emptied, retyped, nested, doubled and blown up, one to three at a time."""
    name = data.draw(st.sampled_from([name for name in names() if name.endswith(".json")]))
    damaged = data.draw(damages(strict_json(content_of(name))))
    for read in READERS:
        with suppress(Unavailable):
            read(damaged)
