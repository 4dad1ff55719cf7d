"""What runs beside the ticks: the venues' connections, the look-up of the map's markets, discovery."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from loguru import logger

from entrypoints.container import Container, speed_of

FIRST_RESOLVE_S = 10.0
"""Seconds that the first look-up of the map's slugs may hold up the first tick."""


@asynccontextmanager
async def venues(container: Container) -> AsyncIterator[None]:
    """The venues' connections, and the look-up of markets and discovery in the background."""
    async with AsyncExitStack() as stack:
        for client in container.clients():
            stack.push_async_callback(client.aclose)
        settings, speed = container.settings(), speed_of(container.clock())
        universe = container.universe()
        with suppress(TimeoutError):
            await asyncio.wait_for(universe.resolve(), FIRST_RESOLVE_S)
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


def _tell_if_broken(looking_up: asyncio.Task[None]) -> None:
    """A defect in the background must not die in silence; the ticks go on with the markets that are known."""
    if not looking_up.cancelled() and (defect := looking_up.exception()):
        logger.opt(exception=defect).error("markets are no longer looked up: {}", type(defect).__name__)
