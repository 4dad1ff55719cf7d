"""What runs beside the ticks: the venues' connections, the look-up of the map's markets, discovery, a backup a day, threads."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from loguru import logger

from adapters.sqlite_ledger import LedgerInvalid, LedgerUnwritable
from adapters.sqlite_ledger.backups import back_up_daily
from adapters.universe import MapUniverse
from entrypoints.container import Container, speed_of

FIRST_RESOLVE_S = 10.0
"""Seconds that the first look-up of the map's slugs may hold up the first tick."""

BACKUP_CHECK_S = 600.0
"""Seconds between two looks whether today's backup is there."""

BACKUP_GRACE_S = 3.0
"""Seconds that a backup gets to finish at the end; cut off, it leaves nothing that counts."""

TOLD_DEFECTS = 8
"""Ended threads that wait to be shown; of more only the newest are."""


@asynccontextmanager
async def venues(container: Container, stop: asyncio.Event) -> AsyncIterator[None]:
    """The venues' connections, and the look-up of markets and discovery in the background. `stop` ends the first look-up."""
    async with AsyncExitStack() as stack:
        for client in container.clients():
            stack.push_async_callback(client.aclose)
        settings, speed = container.settings(), speed_of(container.clock())
        universe = container.universe()
        await _first_look(universe, stop)
        background = [asyncio.create_task(universe.keep_resolved(speed=speed))]
        if settings.scan_enable:
            scanning = container.discovery().keep_scanning(settings.scan_interval_s / speed)
            background.append(asyncio.create_task(scanning))
        for task in background:
            task.add_done_callback(_tell_if_broken)
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)


async def _first_look(universe: MapUniverse, stop: asyncio.Event) -> None:
    """Look the map's markets up, until it takes too long or nobody wants to know any more."""
    looking, stopping = asyncio.ensure_future(universe.resolve()), asyncio.ensure_future(stop.wait())
    await asyncio.wait((looking, stopping), timeout=FIRST_RESOLVE_S, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if looking.done():
        looking.result()
        return
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)


def _tell_if_broken(looking_up: asyncio.Task[None]) -> None:
    """A defect in the background must not die in silence; the ticks go on with the markets that are known."""
    if not looking_up.cancelled() and (defect := looking_up.exception()):
        logger.opt(exception=defect).error("markets are no longer looked up: {}", type(defect).__name__)


@contextmanager
def daily_backups(path: Path) -> Iterator[None]:
    """A backup of the ledger each day (UTC), the first soon after the start, in a thread that only reads it."""
    over = threading.Event()
    thread = threading.Thread(target=_keep_backed_up, args=(path, over), name="backups", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(BACKUP_GRACE_S)


def _keep_backed_up(path: Path, over: threading.Event) -> None:
    while True:
        try:
            if made := back_up_daily(path, f"{datetime.now(UTC):%Y-%m-%d}"):
                logger.info("backup of the ledger: {}", made)
        except (LedgerInvalid, LedgerUnwritable) as error:
            logger.error("no backup of the ledger: {}", error)
        if over.wait(BACKUP_CHECK_S):
            return


@contextmanager
def thread_defects() -> Iterator[deque[str]]:
    """What has ended a thread meanwhile, for the ticks to show: they go on. Whoever heard of it before still does."""
    before, told = threading.excepthook, deque[str](maxlen=TOLD_DEFECTS)

    def hook(ended: threading.ExceptHookArgs) -> None:
        name = ended.thread.name if ended.thread else "?"
        told.append(f"thread {name}: {ended.exc_type.__name__}: {ended.exc_value}")
        before(ended)

    threading.excepthook = hook
    try:
        yield told
    finally:
        threading.excepthook = before
