"""The tape: what was recorded, as columns, and the adapters that play it to the same tick."""
