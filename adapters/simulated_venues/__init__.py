"""Polymarket and Kraken on a loopback port, in their own wire formats, for the agent's real adapters."""

from adapters.simulated_venues.accounts import Accounts, SimKey, SimL2Key
from adapters.simulated_venues.default_world import DEFAULT, SERIES
from adapters.simulated_venues.faults import Faults, UnknownKind, kinds_named
from adapters.simulated_venues.football import halftime, match
from adapters.simulated_venues.market import VOID, SimEvent, SimMarket
from adapters.simulated_venues.market_map import market_map
from adapters.simulated_venues.recording import Recording, RecordingInvalid
from adapters.simulated_venues.scenario import Scenario
from adapters.simulated_venues.server import SimulatedVenues
from adapters.simulated_venues.steady import Steady
from adapters.simulated_venues.updown import SimSeries
from adapters.simulated_venues.wire import Answer, BookSpec, Request, Script

__all__ = [
    "DEFAULT",
    "SERIES",
    "VOID",
    "Accounts",
    "Answer",
    "BookSpec",
    "Faults",
    "Recording",
    "RecordingInvalid",
    "Request",
    "Scenario",
    "Script",
    "SimEvent",
    "SimKey",
    "SimL2Key",
    "SimMarket",
    "SimSeries",
    "SimulatedVenues",
    "Steady",
    "UnknownKind",
    "halftime",
    "kinds_named",
    "market_map",
    "match",
]
