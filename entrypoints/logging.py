"""The log: loguru, configured once. To stderr, where systemd's journal keeps it; locals never go into a traceback."""

import logging
import sys

from loguru import logger


def configure_logging(level: str) -> None:
    """One sink on stderr. `diagnose=False` keeps the values of variables, and so secrets, out of tracebacks."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    logger.remove()
    logger.add(
        sys.stderr, level=level, format="{time:YYYY-MM-DDTHH:mm:ss.SSSZ} {level} {message}", diagnose=False, backtrace=False
    )
