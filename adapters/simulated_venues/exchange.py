"""Both venues over one `Tape`: it says what is true at a time, the venue's endpoints say it their way."""

from collections.abc import Callable

from adapters.simulated_venues import gamma_endpoints, kraken_endpoints, polymarket_endpoints
from adapters.simulated_venues import kraken_wire as kraken
from adapters.simulated_venues import polymarket_wire as polymarket
from adapters.simulated_venues.gamma_wire import gamma_not_found
from adapters.simulated_venues.tape import Tape
from adapters.simulated_venues.wire import Answer, Request


def answer(tape: Tape, venue: str, request: Request, now_ms: int) -> Answer:
    """What `venue` answers to `request` when `tape` is the world; its own 404 for what it does not serve."""
    return _ENDPOINTS[venue](tape, request, now_ms) or unknown_path(venue, request.path, now_ms)


def unknown_path(venue: str, path: str, now_ms: int) -> Answer:
    """The venue's own way of saying that `path` is nothing it knows."""
    bodies: dict[str, object] = {
        "clob": polymarket.NO_CLOB_PATH,
        "gamma": gamma_not_found("path"),
        "kraken_spot": kraken.spot_error(kraken.UNKNOWN_METHOD),
        "kraken_futures": kraken.futures_error("notFound", now_ms),
    }
    return Answer(404, bodies.get(venue, {"error": f"no venue at {path}"}))


_ENDPOINTS: dict[str, Callable[[Tape, Request, int], Answer | None]] = {
    "clob": polymarket_endpoints.clob_answer,
    "gamma": gamma_endpoints.gamma_answer,
    "kraken_spot": kraken_endpoints.spot_answer,
    "kraken_futures": kraken_endpoints.futures_answer,
}
