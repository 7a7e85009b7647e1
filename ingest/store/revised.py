"""What a transaction of late readings did, for whoever counts it and goes on from it."""

from dataclasses import dataclass

from ingest.pipeline.batch import Heads, Refigured


@dataclass(slots=True)
class Revised:
    """What a late transaction did."""

    stored: int
    """Readings that were new."""
    late: int
    """Of these, those that came after their interval should have closed."""
    changed: int
    """Intervals that got a new revision or are no more."""
    kpis: Refigured
    """KPI rows made again, for the ring of the windows."""
    heads: Heads
    """With what the lists of late counters begin now."""
