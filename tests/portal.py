"""The portal's files for tests that look at something else."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from adapters.candidates import Candidate
from adapters.portal.writer import PortalFiles, nothing_found
from tests.builders import NOON_MS


def portal_files(
    out_dir: Path,
    *,
    sources: Callable[[int], Mapping[str, object]],
    ledger_id: str = "x",
    started_at_ms: int = NOON_MS,
    found: Callable[[], Sequence[Candidate]] = nothing_found,
) -> PortalFiles:
    """Those of a paper session of lead_lag."""
    return PortalFiles(
        out_dir,
        ledger_id=ledger_id,
        started_at_ms=started_at_ms,
        strategy_mode="lead_lag",
        trading_mode="paper",
        settings={},
        sources=sources,
        version="0",
        found=found,
    )
