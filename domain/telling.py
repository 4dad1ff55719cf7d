"""What to tell after a tick: a pure fold over outcomes. Whatever lasts is told once, and again only after it had changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from domain.ledger import OrderStatus
from domain.market import DAY_MS
from domain.notice import Day, Notice, NoticeKind, Outcome, SourceState, Told
from domain.report import Journal, Report, Trade, TradeAction

BOOKS, MARKETS = "polymarket_clob", "polymarket_gamma"


def patience_s(interval_s: float) -> float:
    """How long something may give nothing before it is stale, seconds: ten ticks, at least thirty; the portal's page too."""
    return max(10 * interval_s, 30.0)


def remembered(journal: Journal) -> Told:
    """Where a daemon that starts goes on: with the day that the ledger is in, as far as its newest trades reach back."""
    if not journal.equity:
        return Told()
    last = journal.equity[-1]
    day = Day(number=last.moment.day, equity=last.equity, open_positions=last.open_positions)
    return Told(day=_with_trades(day, (trade for trade in journal.trades if trade.moment.day == day.number)))


def told(before: Told, outcome: Outcome, *, patience_ms: int) -> tuple[Told, tuple[Notice, ...]]:
    """What is told now, and what to remember. `patience_ms`: how long something may give nothing before it is stale."""
    after, notices = _errors(before, outcome, patience_ms)
    report = outcome.report
    if report is not None:
        after, more = _freshness(after, outcome, report, patience_ms)
        notices += (*_day_over(before, report), *_trades(report), *_switch(before, report), *more)
        after = replace(after, day=_counted(before, report), kill_switch=report.kill_switch)
    return after, notices


def ended(error: str, at_ms: int) -> Notice:
    """The last words of a daemon that must end."""
    return Notice(kind=NoticeKind.ERROR, text=f"the agent ends: {error}", at_ms=at_ms)


def _trades(report: Report) -> Iterator[Notice]:
    for trade in report.trades:
        if trade.status is OrderStatus.FILLED:
            bought = trade.action is TradeAction.BUY
            gained = "" if bought else f", realised {_plain(trade.realised)}"
            yield Notice(
                kind=NoticeKind.FILL if bought else NoticeKind.EXIT,
                text=f"{trade.action} {_plain(trade.shares)} {trade.market.label} at {_plain(trade.price)}: "
                f"{_plain(trade.notional)} USDC{gained}; {trade.notes}",
                at_ms=report.moment.at_ms,
            )


def _switch(before: Told, report: Report) -> Iterator[Notice]:
    if report.kill_switch is not before.kill_switch:
        on = report.kill_switch
        text = "the kill switch is on: nothing is bought, exits go on" if on else "the kill switch is off: entries go on"
        yield Notice(kind=NoticeKind.KILL_SWITCH, text=text, at_ms=report.moment.at_ms, mended=not on)


def _errors(before: Told, outcome: Outcome, patience_ms: int) -> tuple[Told, tuple[Notice, ...]]:
    """What went wrong and was not told while it was last met: an error that comes and goes is one error."""
    now_ms = outcome.moment.elapsed_ms
    standing = {gist: met for gist, met in before.troubles.items() if now_ms - met <= patience_ms}
    met = list(_troubles(outcome))
    new = {_gist(text): text for text in met if _gist(text) not in standing}
    notices = (Notice(kind=NoticeKind.ERROR, text=text, at_ms=outcome.moment.at_ms) for text in new.values())
    return replace(before, troubles={**standing, **dict.fromkeys(map(_gist, met), now_ms)}), tuple(notices)


def _troubles(outcome: Outcome) -> Iterator[str]:
    if outcome.error:
        yield f"a tick failed: {outcome.error}"
    if outcome.unwritten:
        yield f"files stay old, they cannot be written: {', '.join(outcome.unwritten)}"
    for name, source in outcome.sources.items():
        yield from (f"{name}, {subject}: {text}" for subject, text in source.alarms.items())


def _gist(text: str) -> str:
    """The text without its digits: a number that varies makes no new trouble."""
    return "".join(sign for sign in text if not sign.isdigit())


def _freshness(before: Told, outcome: Outcome, report: Report, patience_ms: int) -> tuple[Told, tuple[Notice, ...]]:
    """What has given nothing for too long, and what gives again."""
    now_ms = outcome.moment.elapsed_ms
    state = dict(_watched(report, outcome.sources))
    good = {name: now_ms if fine else before.good.get(name, now_ms) for name, fine in state.items()}
    stale = frozenset(name for name, since in good.items() if now_ms - since > patience_ms)
    notices = []
    if gone := [name for name in good if name in stale - before.stale]:
        seconds = max(now_ms - good[name] for name in gone) // 1000
        notices.append(_stale(f"nothing for {seconds} s from: {', '.join(gone)}", outcome))
    if back := [name for name in good if name in before.stale - stale]:
        notices.append(_stale(f"there again: {', '.join(back)}", outcome, mended=True))
    return replace(before, good=good, stale=stale), tuple(notices)


def _stale(text: str, outcome: Outcome, *, mended: bool = False) -> Notice:
    return Notice(kind=NoticeKind.STALE, text=text, at_ms=outcome.moment.at_ms, mended=mended)


def _watched(report: Report, sources: Mapping[str, SourceState]) -> Iterator[tuple[str, bool]]:
    """Whatever must go on giving for the agent to do its work, and whether it did in this tick.

    A source that was never asked is not among them. The book of a position is: without it nothing can leave.
    """
    markets = [verdict.market for verdict in report.verdicts]
    tokens = {market.token for market in markets if market.token is not None}
    needed = dict.fromkeys([BOOKS, *(market.reference.source for market in markets if market.reference is not None)])
    if any(market.token is None for market in markets):
        needed[MARKETS] = None
    yield from ((name, sources[name].ok) for name in needed if name in sources)
    if tokens:
        yield "all order books", bool(report.books.keys() & tokens)
    for token, position in report.state.ledger.positions.items():
        yield f"the book of {position.market.label}, which is held", token in report.books


def _day_over(before: Told, report: Report) -> Iterator[Notice]:
    day = before.day
    if day is not None and report.moment.day > day.number:
        yield Notice(
            kind=NoticeKind.DAILY_SUMMARY,
            text=f"equity {_plain(day.equity)} USD, realised {_plain(day.realised)}, fees {_plain(day.fees)}, "
            f"{day.buys} buys, {day.exits} exits, {day.open_positions} positions open",
            at_ms=day.number * DAY_MS,
        )


def _counted(before: Told, report: Report) -> Day:
    """The day with this tick in it: the same, or a new one."""
    number = report.moment.day
    day = before.day if before.day is not None and before.day.number >= number else Day(number=number)
    ledger = report.state.ledger
    return replace(_with_trades(day, report.trades), equity=ledger.equity, open_positions=len(ledger.positions))


def _with_trades(day: Day, trades: Iterable[Trade]) -> Day:
    filled = [trade for trade in trades if trade.status is OrderStatus.FILLED]
    buys = sum(trade.action is TradeAction.BUY for trade in filled)
    return replace(
        day,
        buys=day.buys + buys,
        exits=day.exits + len(filled) - buys,
        realised=sum((trade.realised for trade in filled), day.realised),
        fees=sum((trade.fee for trade in filled), day.fees),
    )


def _plain(amount: Decimal) -> str:
    """The number without the zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
