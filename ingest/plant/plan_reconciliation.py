"""The part of a plan that says which accounts are held against each other."""

from dataclasses import dataclass

from ingest.plant.plan import PlanSource
from ingest.plant.reconciliation_entries import FlueGas


@dataclass(frozen=True, slots=True)
class PlanReconciliation:
    """A reconciliation of a plan."""

    id: str
    name: str
    measured: PlanSource
    calculated: tuple[tuple[PlanSource, int], ...]
    """Sources and their lags, µs."""
    additions: tuple[PlanSource, ...]
    methods: tuple[PlanSource, ...]
    gas: FlueGas | None
    """Its ids as in the file."""

    @property
    def sources(self) -> tuple[PlanSource, ...]:
        """All that are read, each once."""
        every = (self.measured, *(source for source, _ in self.calculated), *self.additions, *self.methods)
        return tuple({source.id: source for source in every}.values())
