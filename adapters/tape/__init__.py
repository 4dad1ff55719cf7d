"""The tape: what was recorded, as columns, and the adapters that play it to the same tick."""


class TapeInvalid(Exception):
    """A tape that cannot be opened, or a place that none can be written to; the text says why."""
