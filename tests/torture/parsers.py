"""Every parser that takes bytes from outside, as a table: whose payloads it reads, how, and what it may raise."""

import asyncio
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import httpx

from adapters import gamma_event, gamma_wire, kraken_futures, kraken_spot, polymarket_clob
from adapters.candidates import Candidate, Wishes, judged
from adapters.draw_baseline import BaselineInvalid, load_draw_baseline
from adapters.health import Health
from adapters.http import Body, VenueClient
from adapters.keys import kraken_futures as futures_keys
from adapters.keys import kraken_spot as spot_keys
from adapters.keys import polymarket as l2_keys
from adapters.keys.values import KeysInvalid
from adapters.listed_markets import Listed, Wants, markets_of
from adapters.market_map import MapEntry, MapInvalid, PolymarketPart, load_market_map, place
from adapters.portal import read_manifest as read_published
from adapters.simulated_venues import Recording, RecordingInvalid
from adapters.tape import TapeInvalid
from adapters.tape.importers.layouts import read_source
from adapters.tape.manifest import read_manifest as read_tape
from adapters.tape.playback import recorded
from adapters.tape.segments import SegmentWriter
from adapters.wire_numbers import strict_json
from domain.market import ConditionId, Market, Moment, Reference
from domain.ports import Unavailable
from entrypoints.keys import KEY_VARIABLES, read_keys
from entrypoints.preview import batch
from entrypoints.rules import rules_of
from entrypoints.settings import SettingsInvalid, doubts, read_settings, settings_of
from tests.adapters.record_cassettes import CALLS, NOW_MS, START_MS, StoppedClock
from tests.torture.seeds import CONDITION, FIRST_LINE

NOW = Moment(at_ms=NOW_MS, elapsed_ms=NOW_MS - START_MS)
EVERYTHING = Wishes(
    limit=1_000, binary_only=False, draws_only=False, min_liquidity_usdc=None, max_spread=None, falling_words_refused=False
)
PATIENCE_S = 5.0
SENT = {
    "book_list": ("clob_books",),
    "clob_market": ("clob_payouts",),
    "clob_time": ("clob_time",),
    "gamma_market": ("gamma_market", "gamma_market_of_token", "gamma_payouts", "gamma_payouts_by_slug"),
    "gamma_event": ("gamma_event", "gamma_match"),
    "gamma_page": ("gamma_busiest", "gamma_searched"),
    "spot": ("spot_reference",),
    "futures": ("futures_reference",),
}
"""Which calls of the adapters are answered with payloads of a kind."""

EVERY_WISH = (Wants(), Wants(both_outcomes=True, hedges=True), Wants(draws=True, reference_source=""))

Values = Iterable[object]
Read = Callable[[bytes, Path], Values]


class Parser(NamedTuple):
    """A parser of the payloads of one kind: the values that it makes of one, and the only exceptions that it may raise.

    `weight` is its share of all payloads.
    """

    kind: str
    read: Read
    refusals: tuple[type[Exception], ...] = (Unavailable,)
    weight: int = 1


STATUSES = (*[200] * 40, 201, 204, 206, 301, 400, 401, 403, 404, 405, 413, 418, 422, 425, 429, 500, 502, 503, 599)
HEADERS = (
    *[{}] * 20,
    *({"Age": age} for age in ("0", "1", "-1", "1e9", "999999999", "9999999999", "nan", "٣", "1, 2")),
    *(
        {"Date": date}
        for date in ("", "x", "Mon, 21 Sep 2026 13:34:20 GMT", "Mon, 99 Sep 99999 99:99:99 GMT", "Thu, 01 Jan 0000")
    ),
    *({"Retry-After": after} for after in ("0", "-1", "86400", "1e400", "Mon, 21 Sep 2026 13:34:20 GMT")),
    *({"Content-Encoding": encoding} for encoding in ("gzip", "identity", "br, gzip", "")),
    *({"Content-Length": length} for length in ("0", "7", "-1", "99999999999999999999")),
)


class Answering(httpx.AsyncBaseTransport):
    """Answers everything with the same bytes; its status and headers follow from them too."""

    def __init__(self, payload: bytes) -> None:
        """Answer this."""
        self._payload = payload
        self._digits = zlib.crc32(payload)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same answer again."""
        stream = httpx.ByteStream(self._payload)
        headers = [(name.encode(), value.encode()) for name, value in HEADERS[self._digits // 97 % len(HEADERS)].items()]
        return httpx.Response(STATUSES[self._digits % len(STATUSES)], headers=headers, stream=stream)


def _over_http(name: str) -> Read:
    """A whole call of an adapter, through its client."""
    source, call = CALLS[name]

    async def asked(payload: bytes) -> object:
        health = Health()
        transport = Answering(payload)
        client = VenueClient(source, "http://venue.invalid", clock=StoppedClock(), health=health, transport=transport)
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await call(client)
            finally:
                health.report(NOW_MS)
                await client.aclose()

    return lambda payload, folder: [asyncio.run(asked(payload))]


class NotJson(Exception):
    """The body is no JSON: the client refuses it before any parser sees it."""


def _answered(parse: Callable[[Body], Values]) -> Read:
    """A parser of answers, behind the strict JSON through which all of them come."""

    def read(payload: bytes, folder: Path) -> Values:
        try:
            json = strict_json(payload)
        except ValueError:
            raise NotJson from None
        return parse(Body(json=json, status=200, requested=NOW, age_s=1.0, server_ms=NOW_MS))

    return read


def _book(answer: Body) -> Values:
    rows = answer.json if isinstance(answer.json, list) else [answer.json]
    return [polymarket_clob.parse_book(row, requested=NOW, age_s=answer.age_s, venue_ms=NOW_MS) for row in rows]


def _payouts(answer: Body) -> Values:
    named = answer.json.get("condition_id") if isinstance(answer.json, dict) else None
    return [polymarket_clob.parse_payouts(answer, ConditionId(named if isinstance(named, str) else CONDITION))]


def _reference(price: float) -> Values:
    return [Reference(price=price, requested=NOW)]


def _futures(answer: Body) -> Values:
    tickers = kraken_futures.parse_tickers(answer)
    found: list[object] = [tickers.age_s]
    for symbol, field in (("PF_XBTUSD", None), ("PF_XBTUSD", "index"), ("PI_XBTUSD", "last")):
        with suppress(Unavailable):
            found += _reference(kraken_futures.parse_price(tickers, symbol, field))
    return found


def _listings(answer: Body) -> Values:
    rows = gamma_wire.rows_of(answer.json)
    listings, refused = gamma_event.judged_rows(rows, answer.latest_ms)
    return [*listings, *refused, *_followed(Listed(listing=listing) for listing in listings)]


def _events(answer: Body) -> Values:
    return _shown([gamma_event.parse_event(row, answer.latest_ms) for row in gamma_wire.rows_of(answer.json)])


def _page(answer: Body) -> Values:
    page = gamma_event.parse_page(answer)
    return [page, *_shown(page.events)]


def _shown(events: Iterable[gamma_event.Event]) -> list[object]:
    """Events, what discovery makes of them, and the markets that would be traded."""
    found = list(events)
    met: tuple[Candidate, ...] = judged(found, EVERYTHING, NOW)
    listed = (Listed(listing=listing, event=event) for event in found for listing in event.listings)
    return [*found, *met, *_followed(listed)]


def _followed(listed: Iterable[Listed]) -> Iterator[Market]:
    for each in listed:
        entry = MapEntry.model_construct(name=each.listing.question, polymarket=PolymarketPart.model_construct(market_slug="s"))
        for wants in EVERY_WISH:
            yield from markets_of(entry, each, wants, ref=each.listing.slug)


def _futures_rights(answer: Body) -> Values:
    with suppress(Unavailable):
        futures_keys.parse_accounts(answer)
    return [futures_keys.parse_check(answer)]


def _l2_rights(answer: Body) -> Values:
    with suppress(Unavailable):
        l2_keys.parse_closed_only(answer)
    l2_keys.parse_keys(answer)
    return []


def _written(payload: bytes, path: Path) -> Path:
    path.write_bytes(payload)
    return path


def _map(payload: bytes, folder: Path) -> Values:
    entries = load_market_map(_written(payload, folder / "map.json"))
    places = [place(entry.polymarket.ref) for entry in entries if not entry.polymarket.clob_token_id]
    made = (markets_of(entry, None, wants, ref=entry.polymarket.ref) for entry in entries for wants in EVERY_WISH)
    return [*entries, *places, *chain.from_iterable(made)]


def _baseline(payload: bytes, folder: Path) -> Values:
    return [load_draw_baseline(_written(payload, folder / "baseline.csv"))]


def _environment(payload: bytes, folder: Path) -> Values:
    said = _variables(payload)
    settings = read_settings(said)
    doubts(said, settings)
    return [settings, rules_of(settings).limits, settings.in_force(), settings_of(settings.exact())]


def _variables(payload: bytes) -> dict[str, str]:
    """As a system hands them over: never with NUL, and bytes that are no UTF-8 as surrogates."""
    rows = payload.replace(b"\0", b"").decode("utf-8", "surrogateescape").split("\n")
    return {name: value for name, equals, value in (row.partition("=") for row in rows) if equals}


def _keys(payload: bytes, folder: Path) -> Values:
    path = _written(payload, folder / "keys.json")
    path.chmod(0o600)
    read_keys({"KRAKEN_KEYS_PATH": str(path)})
    return []


def _key_variables(payload: bytes, folder: Path) -> Values:
    names = [name for name in KEY_VARIABLES if name != "KRAKEN_KEYS_PATH"]
    values = payload.replace(b"\0", b"").decode("utf-8", "surrogateescape").split('"')[1::2]
    read_keys(dict(zip(names, values, strict=False)))
    return []


def _own_lines(payload: bytes, folder: Path) -> Values:
    """Lines with checksums that fit, whatever is in them."""
    shutil.rmtree(folder / "own", ignore_errors=True)
    writer = SegmentWriter(folder / "own")
    session = (FIRST_LINE,) if len(payload) % 4 else ()
    for line in (*session, *payload.split(b"\n")):
        writer.write(line or b"{}", START_MS)
    writer.close()
    return list(recorded(folder / "own"))


def _own_segment(payload: bytes, folder: Path) -> Values:
    return list(recorded(_written(payload, folder / "20260921T000000.000000Z.jsonl.gz")))


def _frames(payload: bytes, folder: Path) -> Values:
    recording = Recording.open(_written(payload, folder / "frames.jsonl"))
    return [recording.start_ms, recording.end_ms, recording.unlisted, [recording.outcomes(slug) for slug in recording.slugs]]


def _tape(payload: bytes, folder: Path) -> Values:
    _written(payload, folder / "manifest.json")
    return [read_tape(folder)]


def _imported(payload: bytes, folder: Path) -> Values:
    return [read_source(_written(payload, folder / "imported.jsonl")).warnings]


def _imported_from(*names: str) -> Read:
    def read(payload: bytes, folder: Path) -> Values:
        shutil.rmtree(folder / "imported", ignore_errors=True)
        (folder / "imported").mkdir()
        parts = payload.split(b"-----\n", len(names) - 1)
        for name, part in zip(names, parts, strict=False):
            _written(part, folder / "imported" / name)
        return [read_source(folder / "imported").warnings]

    return read


def _published(payload: bytes, folder: Path) -> Values:
    _written(payload, folder / "manifest.json")
    return [read_published(folder)]


def _preview(payload: bytes, folder: Path) -> Values:
    return list(batch(_written(payload, folder / "batch.jsonl")))


PARSERS = (
    *(Parser(kind, _over_http(name)) for kind, names in SENT.items() for name in names),
    Parser("books", _answered(_book), weight=16),
    Parser("clob_market", _answered(_payouts), weight=6),
    Parser("spot", _answered(lambda answer: _reference(kraken_spot.parse_price(answer, "XBTUSD"))), weight=10),
    Parser("futures", _answered(_futures), weight=10),
    Parser("gamma_market", _answered(_listings), weight=10),
    Parser("gamma_event", _answered(_events), weight=4),
    Parser("gamma_page", _answered(_page), weight=4),
    Parser("spot_key", _answered(lambda answer: [spot_keys.parse_spot(answer)]), weight=3),
    Parser("futures_key", _answered(_futures_rights), weight=3),
    Parser("clob_key", _answered(_l2_rights), weight=1),
    Parser("map", _map, (MapInvalid,), weight=6),
    Parser("baseline", _baseline, (BaselineInvalid,), weight=5),
    Parser("environment", _environment, (SettingsInvalid,), weight=2),
    Parser("keys", _keys, (KeysInvalid,), weight=3),
    Parser("keys", _key_variables, (KeysInvalid,)),
    Parser("lines", _own_lines, (RecordingInvalid,), weight=3),
    Parser("segment", _own_segment, (RecordingInvalid,), weight=2),
    Parser("frames", _frames, (RecordingInvalid,), weight=3),
    Parser("tape", _tape, (TapeInvalid,), weight=2),
    Parser("cronosvirus", _imported, (RecordingInvalid,), weight=2),
    Parser("frames", _imported, (RecordingInvalid,)),
    Parser("resolvedkit", _imported_from("markets.jsonl", "books.jsonl.gz"), (RecordingInvalid,), weight=2),
    Parser("leafuryk", _imported_from("candles.csv", "snapshots.csv"), (RecordingInvalid,), weight=2),
    Parser("published", _published, ()),
    Parser("preview", _preview, ()),
)
"""All of them. A payload that is no JSON at all never reaches the parsers of answers: `NotJson`."""
