"""How far event time has come.

The watermark is the largest min(measured_at, received_at) seen, less the
lateness the site allows, and never goes back. While its source is caught up it
also moves with monotonic time, so that a plant that falls silent still closes its
intervals; a replayed site moves by its events only. It knows no wall clock.
"""

from ingest.model import NEVER


class Watermark:
    """The watermark of one site; instants in µs, `monotonic_us` of any monotonic clock."""

    def __init__(self, lateness_us: int, *, live: bool, at: int = NEVER) -> None:
        """Start at `at`, as restored from the last commit."""
        self._lateness_us = lateness_us
        self._live = live
        self.at = at
        self._anchor: tuple[int, int] | None = None

    def observe(self, event_at: int, monotonic_us: int) -> None:
        """A reading with this min(measured_at, received_at) was accepted."""
        candidate = event_at - self._lateness_us
        if candidate > self.at:
            self.at = candidate
            self._anchor = (candidate, monotonic_us)

    def tick(self, monotonic_us: int, *, caught_up: bool) -> None:
        """Time has passed; it counts only if the source has handed out all it had."""
        if not (self._live and caught_up) or self.at == NEVER:
            self._anchor = None
            return
        if self._anchor is None:
            self._anchor = (self.at, monotonic_us)
        at, since = self._anchor
        self.at = max(self.at, at + monotonic_us - since)
