"""What the simulator has to know of a measured point to publish it.

Taken from a plan, so that periods, units and resolutions are said once, in the
plant file. The simulator reads plans; it never compiles a rule from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ingest.model import Kind
from ingest.plant.plan import Plan


@dataclass(frozen=True, slots=True)
class Instrument:
    """One measured point."""

    id: str
    """Full id, `site/unit/…/point`."""
    name: str
    """The same without the site."""
    kind: Kind
    unit: str
    period_us: int
    sloped: bool
    """Whether its value runs straight from reading to reading (else it holds)."""
    resolution: Fraction
    """Size of one count, in `unit`."""
    modulus: int
    """Counts at which a register starts again at 0; 0: never."""
    max_count_per_h: float
    """The fastest a register may count; inf: nobody has said."""
    state_names: Mapping[int, str]
    """Codes of a state point with the name the wire may say instead."""

    def values_of(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """The published values of counts: the floats nearest to count · resolution (below 2^53)."""
        return counts * self.resolution.numerator / self.resolution.denominator


def instruments(plan: Plan) -> list[Instrument]:
    """The measured points of a plan, in its order."""
    params = plan.params
    return [
        Instrument(
            id=point.id,
            name=point.id.removeprefix(f"{plan.site}/"),
            kind=point.kind,
            unit=point.unit,
            period_us=int(params["period_us"][index]),
            sloped=bool(params["sloped"][index]) or point.kind is Kind.COUNTER,
            resolution=Fraction(Decimal(repr(point.resolution))),
            modulus=int(params["modulus_count"][index]),
            max_count_per_h=float(params["max_step_count_per_h"][index]),
            state_names={code: name for name, code in point.states.items()},
        )
        for index, point in enumerate(plan.points[: plan.n_measured])
    ]
