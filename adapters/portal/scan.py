"""What discovery found, as rows of `pm_scan_candidates.csv`."""

from collections.abc import Iterable

from adapters.discovery import Candidate
from adapters.portal.schema import ScanRow


def scan_rows(candidates: Iterable[Candidate]) -> list[ScanRow]:
    """One row for each candidate, in their order."""
    return [
        ScanRow(
            ts=candidate.at,
            market=candidate.market,
            slug=candidate.slug,
            url=candidate.url,
            kind=candidate.kind,
            liquidity_usdc=candidate.liquidity_usdc,
            spread=candidate.spread,
            kept=int(candidate.kept),
            reason=candidate.reason,
            notes=candidate.notes,
        )
        for candidate in candidates
    ]
