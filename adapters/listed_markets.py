"""What a map entry and the venue's listing say together: the markets to follow, with all that a strategy asks of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapters.gamma_event import Event
from adapters.gamma_wire import Listing
from adapters.market_map import ConstantFair, LinearFair, MapEntry
from adapters.match_draw import is_draw_name
from domain.fair import Constant, FairModel, LinearRange
from domain.fees import FREE, FeeSchedule, assumed_schedule
from domain.market import Hedge, Market, ReferenceId, Side, ThreeWay, TokenId

RISING, FALLING = frozenset({"yes", "up"}), frozenset({"no", "down"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What the strategy wants of every market, and what holds where an entry says nothing.

    `reference_source` is where its reference comes from ("" for none); `both_outcomes` follows both tokens of a binary market,
    whatever the entry names; `draws` looks for the draw of a match; `hedges` takes over the other leg.
    """

    outcome: str = "Yes"
    spot_pair: str = "XBTUSD"
    reference_source: str = "kraken_spot"
    charges_fees: bool = True
    both_outcomes: bool = False
    draws: bool = False
    hedges: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A market as it was found, and the event around it where that was looked up."""

    listing: Listing
    event: Event | None = None

    @property
    def tokens(self) -> Mapping[str, TokenId]:
        """Its tokens by outcome, in the venue's order."""
        return dict(self.listing.tokens)

    @property
    def three_way(self) -> ThreeWay | None:
        """The set of its event, when it is one."""
        return self.event.three_way if self.event else None


def markets_of(entry: MapEntry, listed: Listed | None, wants: Wants, *, ref: str) -> tuple[Market, ...]:
    """The markets that an entry means: one token, or both of a binary market; without a token while nothing is known.

    `ref` is how the entry names the market, for people.
    """
    outcome, token = _chosen(entry, listed, wants)
    both = wants.both_outcomes and token is not None and listed is not None and len(listed.tokens) == 2
    named = tuple(listed.tokens.items()) if both and listed else ((outcome, token),)
    return tuple(_market(entry, listed, wants, ref=ref, outcome=name, token=each) for name, each in named)


def _chosen(entry: MapEntry, listed: Listed | None, wants: Wants) -> tuple[str, TokenId | None]:
    """The outcome's name and token: the map's token when it gives one, else the outcome of that name, Yes meaning Up too.

    A token of which nothing is known yet may be either outcome of any market: it waits for its listing where the other outcome,
    the event's fair value or the match decides.
    """
    outcome = entry.polymarket.outcome or wants.outcome
    tokens = listed.tokens if listed else {}
    if listed is None and (wants.both_outcomes or wants.draws):
        return outcome, None
    if entry.polymarket.clob_token_id:
        known = TokenId(entry.polymarket.clob_token_id)
        return next((name for name, token in tokens.items() if token == known), outcome), known
    names = _same_outcome(outcome)
    if wants.draws and not entry.polymarket.outcome and listed and listed.three_way:
        draw = listed.three_way.draw.token
        names = frozenset(name.lower() for name, token in tokens.items() if token == draw) or names
    return next(((name, token) for name, token in tokens.items() if name.lower() in names), (outcome, None))


def _same_outcome(outcome: str) -> frozenset[str]:
    """The names that mean this outcome."""
    return next((group for group in (RISING, FALLING) if outcome.lower() in group), frozenset({outcome.lower()}))


def _market(entry: MapEntry, listed: Listed | None, wants: Wants, *, ref: str, outcome: str, token: TokenId | None) -> Market:
    listing = listed.listing if listed else None
    rises = _rises(outcome, listed, token)
    others = [other for other in listed.tokens.values() if other != token] if listed else []
    inverse = entry.kraken_spot.direction == "inverse"
    three_way = listed.three_way if listed else None
    return Market(
        name=entry.name,
        ref=ref,
        token=token,
        outcome=outcome,
        direction=1 if rises is not inverse else -1,
        reference=_reference(entry, wants),
        fees=_fees(listing, wants),
        condition=listing.condition if listing else None,
        complement=others[0] if token is not None and len(others) == 1 else None,
        accepting=listing.accepting if listing else True,
        taker_delay_ms=listing.taker_delay_ms if listing else 0,
        ends_at_ms=listing.ends_at_ms if listing else None,
        slug=listing.slug if listing else "",
        event=listing.event if listing else "",
        match_draw=_is_draw(listed, outcome, token),
        three_way=three_way if three_way and three_way.draw.token == token else None,
        fair=_fair(entry, rises=rises, inverse=inverse),
        hedge=_hedge(entry, rises=rises) if wants.hedges else None,
    )


def _rises(outcome: str, listed: Listed | None, token: TokenId | None) -> bool:
    """Whether the token is Yes or Up; of two names, the first is."""
    if outcome.lower() in RISING | FALLING:
        return outcome.lower() in RISING
    return not (listed is not None and token is not None and list(listed.tokens.values())[1:] == [token])


def _is_draw(listed: Listed | None, outcome: str, token: TokenId | None) -> bool | None:
    """Whether this very token is a match's draw; None while nothing is known of its market."""
    if listed is None:
        return None
    if listed.three_way is not None:
        return listed.three_way.draw.token == token
    return listed.listing.match_draw and (outcome.lower() == "yes" or is_draw_name(outcome))


def _reference(entry: MapEntry, wants: Wants) -> ReferenceId | None:
    match wants.reference_source:
        case "kraken_spot":
            return ReferenceId("kraken_spot", entry.kraken_spot.pair or wants.spot_pair)
        case "kraken_futures" if entry.kraken_futures:
            return ReferenceId("kraken_futures", entry.kraken_futures.symbol, entry.kraken_futures.ref_price_field or "")
    return None


def _fees(listing: Listing | None, wants: Wants) -> FeeSchedule:
    if not wants.charges_fees:
        return FREE
    return listing.fees if listing else assumed_schedule("")


def _fair(entry: MapEntry, *, rises: bool, inverse: bool) -> FairModel | None:
    """The token's own model: the map speaks of the event, the other outcome is the rest.

    A line rises with the reference; in an inverse market it falls. A constant is what the event is worth either way.
    """
    match entry.fair_model:
        case ConstantFair() as said:
            model: FairModel = Constant(p=said.p)
        case LinearFair() as said:
            line = LinearRange(zero_at=said.min_ref, one_at=said.max_ref)
            model = line.complement() if inverse else line
        case None:
            return None
    return model if rises else model.complement()


def _hedge(entry: MapEntry, *, rises: bool) -> Hedge | None:
    if entry.hedge is None or entry.kraken_futures is None:
        return None
    side = entry.hedge.yes_side if rises else entry.hedge.no_side
    return Hedge(symbol=entry.kraken_futures.symbol, side=Side(side.upper()), notes=entry.hedge.notes) if side else None


def unique(markets: Iterator[Market]) -> Iterator[Market]:
    """The markets in their order, a token only once: the first to name it says how it is followed."""
    seen: set[TokenId] = set()
    for market in markets:
        if market.token not in seen:
            yield market
        if market.token is not None:
            seen.add(market.token)
