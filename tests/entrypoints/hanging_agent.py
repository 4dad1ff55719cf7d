"""A daemon for watchdog tests, a process of its own: after its third tick it hangs in our own code, for ever.

`python -m tests.entrypoints.hanging_agent`: everything is real but one watcher that never comes back.
"""

import asyncio
import os
import time

from domain.report import Report
from entrypoints.daemon import Run, run
from entrypoints.logging import configure_logging
from entrypoints.settings import read_settings

LAST_TICK = 3


def hang(report: Report) -> None:
    """Come back twice."""
    while report.state.sequence >= LAST_TICK:
        time.sleep(60)


if __name__ == "__main__":
    configure_logging("INFO")
    asyncio.run(run(Run(settings=read_settings(os.environ), watch=hang)))
