"""The clocks that a site's ingest is handed: nothing below reads one of its own."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks a site's ingest is given."""

    now: Callable[[], int]
    """µs since the epoch."""
    monotonic: Callable[[], int]
    """µs of any monotonic clock."""
