"""Metrics for Prometheus: counted as the ticks go, served on loopback by a thread of their own, in base units."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.health import SourceHealth
from domain.report import Report
from domain.state import State

LOOPBACK = "127.0.0.1"
TICK_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

Sources = Callable[[], Mapping[str, SourceHealth]]


class Metrics:
    """What one daemon counts, in a registry of its own. Any thread may be answered while the ticks go on."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        registry = self._registry = CollectorRegistry()
        self._tick = Histogram("spelar_tick_duration_seconds", "How long ticks took.", registry=registry, buckets=TICK_S)
        self._ticks = Counter("spelar_ticks", "Ticks by how they ended: committed or failed.", ["outcome"], registry=registry)
        self._latency = Histogram(
            "spelar_source_latency_seconds",
            "How long a source took to give a usable answer.",
            ["source"],
            registry=registry,
            buckets=LATENCY_S,
        )
        self._decisions = Counter(
            "spelar_decisions", "Decisions about a token by what was done and why.", ["decision", "reason"], registry=registry
        )
        self._trades = Counter("spelar_trades", "Rows of the trade log.", ["action", "status"], registry=registry)
        self._equity = Gauge("spelar_equity_usd", "Cash and positions at the bid.", registry=registry)
        self._cash = Gauge("spelar_cash_usd", "Cash.", registry=registry)
        self._realised = Gauge("spelar_realised_pnl_usd", "Realised since the ledger began, after fees.", registry=registry)
        self._fees = Gauge("spelar_fees_usd", "Fees since the ledger began.", registry=registry)
        self._positions = Gauge("spelar_open_positions", "Open positions.", registry=registry)
        self._kill_switch = Gauge("spelar_kill_switch", "1 while nothing is bought.", registry=registry)
        self._last_tick = Gauge(
            "spelar_last_tick_timestamp_seconds", "When the last committed tick was, Unix time.", registry=registry
        )
        ProcessCollector(registry=registry)

    def answered(self, source: str, latency_ms: float) -> None:
        """A call of this source succeeded."""
        self._latency.labels(source).observe(latency_ms / 1000)

    def serve(self, port: int, sources: Sources, state: State) -> Callable[[], None]:
        """Answer on this port of the loopback, first with the state that the ledger holds; what ends that.

        `sources` reports on each source. Raises `OSError` when the port cannot be had.
        """
        self._registry.register(_Errors(sources))
        self._account(state)
        server, thread = start_http_server(port, LOOPBACK, self._registry)

        def close() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return close

    def ticked(self, report: Report | None, took_s: float) -> None:
        """Count one tick; None: it was not committed."""
        self._tick.observe(took_s)
        self._ticks.labels("failed" if report is None else "committed").inc()
        if report is None:
            return
        for verdict in report.verdicts:
            self._decisions.labels(verdict.action.value, verdict.cause.reason.value).inc()
        for trade in report.trades:
            self._trades.labels(trade.action.value, trade.status.value).inc()
        self._kill_switch.set(report.kill_switch)
        self._account(report.state)

    def _account(self, state: State) -> None:
        ledger = state.ledger
        self._equity.set(float(ledger.equity))
        self._cash.set(float(ledger.cash))
        self._realised.set(float(ledger.realised))
        self._fees.set(float(ledger.fees))
        self._positions.set(len(ledger.positions))
        if state.memory.moment is not None:
            self._last_tick.set(state.memory.moment.at_ms / 1000)


class _Errors(Collector):
    """What the sources' health counts already: their errors by kind, and whether the last call succeeded."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        errors = CounterMetricFamily(
            "spelar_source_errors", "Calls that failed and parts of answers that were refused.", labels=["source", "kind"]
        )
        up = GaugeMetricFamily("spelar_source_up", "1 when the source's last call succeeded.", labels=["source"])
        for name, health in self._sources().items():
            up.add_metric([name], health.ok)
            for kind, count in health.errors.items():
                errors.add_metric([name, kind], count)
        return (errors, up)
