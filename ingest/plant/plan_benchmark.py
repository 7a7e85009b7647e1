"""The part of a plan that says with what values a KPI is compared, from when to when."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PlanBenchmark:
    """A value beside a KPI, from an instant until another."""

    id: str
    kpi: str
    """Full id."""
    level: str
    value: float
    """In the KPI's unit, corrected for the plant."""
    better: Literal["lower", "higher"]
    from_at: int
    """µs."""
    to_at: int
    source: str
    trust: str
