"""The rules that settings ask for: the one place where the mode is looked at."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from domain.engine import Rules
from domain.protections import Protections
from domain.sizing import Sizing
from domain.strategies import Strategy
from domain.strategies.fair_model import FairModelThresholds, fair_model
from domain.strategies.lead_lag import LeadLag, lead_lag
from domain.strategies.pm_draw import PmDraw, pm_draw
from domain.strategies.pm_trend import PmTrend, pm_trend
from domain.view import Limits, ScaleIn
from entrypoints.settings import Settings

Baseline = Mapping[str, float]
NO_BASELINE: Baseline = MappingProxyType({})


def rules_of(settings: Settings, baseline: Baseline = NO_BASELINE) -> Rules:
    """How decisions are made under these settings; `baseline` holds draw probabilities by slug."""
    return Rules(
        strategy=STRATEGIES[settings.strategy_mode](settings, baseline),
        limits=_limits(settings),
        sizing=Sizing(
            order_shares=settings.order_size_shares,
            banded=settings.orderbook_sizing,
            slippage_cap=settings.slippage_cap,
            max_fraction_of_band=settings.max_fraction,
            hard_cap_usdc=settings.hard_cap_usdc,
        ),
        latency_ms=settings.latency_ms,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        freshness_s=settings.freshness_max_age_s,
        interval_s=settings.interval_s,
        book_unchanged_s=settings.book_unchanged_s,
        avoid_price_below=settings.avoid_price_below,
        avoid_price_above=settings.avoid_price_above,
        spread=settings.max_spread,
        spread_cost_pct=settings.spread_cost_cap_pct,
        net_edge_pct=settings.net_edge_min_pct,
        lag_ms=settings.min_market_lag_ms,
        trade_notional_usdc=settings.min_trade_notional_usdc,
        stop_pct=settings.stop_pct,
        orders_per_tick=settings.max_orders_per_tick,
        scale_in=ScaleIn(
            odds_change_pct=settings.scale_on_odds_change_pct,
            cooldown_s=settings.scale_cooldown_s,
            max_adds=settings.scale_max_adds,
            max_total_shares=settings.scale_max_total_shares,
            size_multiple=settings.scale_size_mult,
        ),
        protections=Protections(
            daily_loss_usdc=settings.max_daily_loss_usdc,
            drawdown_pct=settings.max_drawdown_pct,
            losses_in_a_row=settings.max_losses_in_a_row,
            stop_cooldown_s=settings.stop_cooldown_s,
            market_exposure_usdc=settings.max_exposure_market_usdc,
            event_exposure_usdc=settings.max_exposure_event_usdc,
            total_exposure_usdc=settings.max_exposure_usdc,
        ),
    )


def _lead_lag(settings: Settings, baseline: Baseline) -> Strategy:
    return lead_lag(
        LeadLag(
            lookback_points=settings.lookback_points,
            spot_move_min_pct=settings.spot_move_min_pct,
            edge_min_pct=settings.edge_min_pct,
            edge_exit_pct=settings.edge_exit_pct,
            max_hold_s=settings.max_hold_s,
            noise_mult=settings.noise_mult,
            noise_window_points=settings.noise_window_points,
        ),
        estimates_lag=settings.min_market_lag_ms is not None,
    )


def _pm_trend(settings: Settings, baseline: Baseline) -> Strategy:
    return pm_trend(
        PmTrend(
            lookback_points=settings.trend_lookback_points,
            move_min_pct=settings.trend_move_min_pct,
            exit_move_pct=settings.trend_exit_move_pct,
            auto_side=settings.trend_auto_side,
            max_hold_s=settings.max_hold_s,
        )
    )


def _pm_draw(settings: Settings, baseline: Baseline) -> Strategy:
    return pm_draw(
        PmDraw(
            baseline=baseline,
            baseline_p=settings.draw_baseline_p,
            prob_mult=settings.draw_prob_mult,
            edge_min_points=settings.draw_edge_min_points,
            edge_exit_points=settings.draw_edge_exit_points,
            max_price=settings.draw_max_price,
            require_3way=settings.draw_require_3way,
            favourite_min=settings.draw_favourite_min,
            favourite_max=settings.draw_favourite_max,
            max_hold_s=settings.draw_max_hold_s,
        )
    )


def _fair_model(settings: Settings, baseline: Baseline) -> Strategy:
    return fair_model(FairModelThresholds(edge_min=settings.fair_edge_min, max_hold_s=settings.fair_max_hold_s))


STRATEGIES: Mapping[str, Callable[[Settings, Baseline], Strategy]] = {
    "lead_lag": _lead_lag,
    "pm_trend": _pm_trend,
    "pm_draw": _pm_draw,
    "fair_model": _fair_model,
}
