"""Whole payloads of every kind that comes from outside, for a fuzzer to break: the simulated venues' and the collected ones."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.simulated_venues import Request, Scenario, market_map
from adapters.simulated_venues.wire import json_bytes
from adapters.tape.frames import Exchange, line_of
from adapters.tape.manifest import FileEntry, GapEntry, Manifest, Stretch, TokenEntry
from adapters.tape.schema import FORMAT
from adapters.tape.segments import SegmentWriter
from adapters.tape.session import Session, Ticked, markets_line, session_line, tick_line
from domain.market import TokenId
from entrypoints.settings import Settings
from tests.adapters.record_cassettes import LEGS, NOW_MS, OPEN, RESOLVED, START_MS
from tests.adapters.test_payloads import PAYLOADS
from tests.adapters.test_tape_importers import BOOK as RECORDED_BOOK
from tests.adapters.test_tape_importers import CANDLES, EVENT, MARKET, SNAPSHOTS
from tests.builders import SPOT, market, moment, seen, state

Seeds = dict[str, tuple[bytes, ...]]

TOKEN = TokenId(OPEN.placed(START_MS).token_ids[0])
CONDITION = RESOLVED.placed(START_MS).condition_id
EVENT_SLUG = LEGS[0].event.slug
FIRST_LINE = session_line(
    Session(at_ms=START_MS, version="0.1.0", state=state(), settings={"INTERVAL_S": 15.0}, ledger_id="x", baseline={"a": 0.2})
)
"""With what a recording of our own begins."""

ASKED: Mapping[str, tuple[tuple[str, str, Mapping[str, str]], ...]] = {
    "books": (("clob", "/book", {"token_id": TOKEN}),),
    "clob_market": (("clob", f"/markets/{CONDITION}", {}),),
    "clob_time": (("clob", "/time", {}),),
    "spot": (("kraken_spot", "/0/public/Ticker", {"pair": "XBTUSD"}), ("kraken_spot", "/0/public/Ticker", {"pair": "NOPE"})),
    "futures": (("kraken_futures", "/derivatives/api/v3/tickers", {}),),
    "gamma_market": (
        ("gamma", f"/markets/slug/{OPEN.slug}", {}),
        ("gamma", f"/markets/slug/{RESOLVED.slug}", {}),
        ("gamma", "/markets", {"clob_token_ids": TOKEN}),
    ),
    "gamma_event": (("gamma", f"/events/slug/{EVENT_SLUG}", {}),),
    "gamma_page": (
        ("gamma", "/events/keyset", {"limit": "1"}),
        ("gamma", "/public-search", {"q": "bitcoin", "limit_per_type": "2"}),
    ),
}
"""What the simulated venues are asked."""

COLLECTED = {
    "books": ("clob_book", "ws_book__"),
    "clob_market": ("clob_market__",),
    "spot": ("spot_ticker__", "spot_error__"),
    "futures": ("futures_tickers__", "futures_error__"),
    "gamma_market": ("gamma_market__",),
    "gamma_event": ("gamma_events__",),
    "gamma_page": ("gamma_events", "gamma_public_search"),
    "spot_key": ("spot_private_apikeyinfo", "spot_error__"),
    "futures_key": ("futures_keycheck", "futures_accounts", "futures_error__"),
}
"""How the collected payloads of a kind are called."""


def venue_seeds() -> Seeds:
    """The answers of the venues, and the collected ones where they lie beside this checkout."""
    script = Scenario(7, START_MS, (OPEN, RESOLVED, *LEGS), series=())

    def said(venue: str, path: str, query: Mapping[str, str]) -> object:
        return script.answer(venue, Request("GET", path, query, b""), NOW_MS).body

    asked = {kind: tuple(json_bytes(said(*call)) for call in calls) for kind, calls in ASKED.items()}
    named = asked | {
        "book_list": (json_bytes([said("clob", "/book", {"token_id": token}) for token in OPEN.token_ids]),),
        "spot_key": (json_bytes({"error": [], "result": {"permissions": ["query-funds", "withdraw-funds"], "apiKey": "x"}}),),
        "futures_key": (
            json_bytes({"accountUid": "u", "permissions": {"general": "READ_ONLY", "transfer": "NO_ACCESS"}}),
            json_bytes({"result": "success", "accounts": {"cash": {}}, "serverTime": "2026-09-21T00:00:00.000Z"}),
        ),
        "clob_key": (json_bytes({"apiKeys": ["a"]}), json_bytes({"closed_only": False})),
    }
    return {kind: (*found, *_collected(COLLECTED.get(kind, ()))) for kind, found in named.items()}


def collected() -> dict[str, int]:
    """How many collected payloads there are of each kind. None of any where the folder is not there: a run must say so."""
    return {kind: len(_collected(starts)) for kind, starts in COLLECTED.items()}


def _collected(starts: Iterable[str]) -> tuple[bytes, ...]:
    """The payloads whose names begin so, at most 20 kB each; none where the folder is not there."""
    paths = sorted(path for path in PAYLOADS.glob("*/*.json") if path.name.startswith(tuple(starts) or ("?",)))
    return tuple(path.read_bytes() for path in paths if path.stat().st_size < 20_000)


def config_seeds() -> Seeds:
    """What people write: the map, the draw baseline, the environment, key files."""
    secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQ="
    keys = {
        "kraken_spot": {"key": "abc", "secret": secret},
        "kraken_futures": {"key": "abd", "secret": secret},
        "polymarket": {"address": "0x" + "a" * 40, "key": "k", "secret": secret, "passphrase": "p"},
    }
    defaults = Settings().in_force()
    listed = [{"slug": "a-draw", "draw_prob": 0.25}, {"slug": "b-draw", "odds": "3.2"}, {"slug": "c-draw", "draw_odds": 4}]
    example = Path(__file__).resolve().parents[2] / "vps/market_map.example.json"
    return {
        "map": (example.read_bytes(), json_bytes(market_map(Scenario(7, START_MS, (OPEN,), series=()), whole=True))),
        "baseline": (
            b"slug,draw_prob,draw_odds,note\na-draw,0.25,,x\nb-draw,,3.20,y\nhttps://polymarket.com/event/c-d,0.3,,\n",
            b'\xef\xbb\xbfSlug;Odds\r\n"a-draw";3.5\r\n\r\nb-draw;4\r\n',
            json_bytes({"a-draw": 0.25, "b-draw": {"odds": 3.1}}),
            json_bytes(listed),
            json_bytes({"items": listed}),
        ),
        "environment": ("\n".join(f"{name}={value}" for name, value in defaults.items()).encode() + b"\n",),
        "keys": (json_bytes(keys), json_bytes(keys["kraken_spot"])),
    }


def record_seeds() -> Seeds:
    """What was written down: frames, segments, a tape's manifest, other people's lines, the portal's manifest, a batch."""
    body = venue_seeds()["books"][0]
    asked = Exchange(
        source="polymarket_clob",
        path="/book",
        sent=moment(0),
        at=moment(1),
        tick=1,
        status=200,
        headers={"Age": "2"},
        content=body,
    )
    ticked = Ticked.of(seen(0), sequence=1, began=moment(0))
    lines = (FIRST_LINE, markets_line((market(),), START_MS), line_of(asked), tick_line(ticked))
    frame = json_bytes({"t": NOW_MS, "source": "polymarket_clob", "path": f"/book?token_id={TOKEN}", "body": json.loads(body)})
    resolved = b"\n".join([json_bytes(MARKET), b"-----", json_bytes(RECORDED_BOOK), b""])
    top = "0.5,0.51,100,90,0.49,0.5,90,100,67000.5"
    leafuryk = f"{CANDLES}-----\n{SNAPSHOTS}\n1,1,1790000100.5,{top}\n1,1,1790000103,{top}\n".encode()
    case = {"book": json.loads(body), "side": "BUY", "shares": "10", "limit": "0.6", "fee_rate": "0.07", "fee_exponent": 1}
    return {
        "lines": tuple(line + b"\n" for line in lines),
        "segment": (_segment(lines),),
        "frames": (frame + b"\n", frame + b"\n" + frame + b"\n", gzip.compress(frame + b"\n", mtime=0)),
        "tape": (_tape().model_dump_json().encode(),),
        "cronosvirus": (json_bytes({"recv": 1776326412.6, "slug": "btc-updown-5m-1", "raw": EVENT}) + b"\n",),
        "resolvedkit": (resolved,),
        "leafuryk": (leafuryk,),
        "published": (json_bytes({"ledger_id": "a", "sequence": 7, "tick": 7, "files": {"pm_prices.csv": {"rows": 1}}}),),
        "preview": (json_bytes(case) + b"\n",),
    }


def _segment(lines: Iterable[bytes]) -> bytes:
    with TemporaryDirectory() as folder:
        writer = SegmentWriter(Path(folder))
        for line in lines:
            writer.write(line, START_MS)
        writer.close()
        (path,) = Path(folder).iterdir()
        return path.read_bytes()


def _tape() -> Manifest:
    return Manifest(
        format=FORMAT,
        version="0.1.0",
        sources=("recording",),
        warnings=(),
        ticks=2,
        coverage=(Stretch(first=0, ticks=2, from_ms=START_MS, until_ms=NOW_MS),),
        gaps=(GapEntry(first=1, from_ms=START_MS, until_ms=NOW_MS, why="away"),),
        tokens=(TokenEntry(token=TOKEN, market="m", tick_sizes=("0.01",), books=2),),
        references=(SPOT,),
        days=(),
        files={"payload": FileEntry(size=1, rows=1, sha256="0" * 64)},
    )
