"""Tiers of the EU's monitoring regulation: the expanded uncertainty over a year that each allows, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingest.uncertainty.propagation import tier


@dataclass(frozen=True, slots=True)
class Tiers:
    """The limits of tier 1, 2, …, as shares."""

    limits: tuple[float, ...]
    source: str
    trust: str

    def of(self, expanded: float) -> int:
        """The highest tier that an expanded uncertainty keeps, as a share; 0: none."""
        return tier(expanded, np.array(self.limits))


MRR_TIERS: Mapping[str, Tiers] = {
    "measured": Tiers((0.10, 0.075, 0.05, 0.025), "Regulation (EU) 2018/2066 annex VIII, table 1", "R"),
    "activity": Tiers((0.075, 0.05, 0.025, 0.015), "Regulation (EU) 2018/2066 annex II", "P"),
}
"""Of a measured emission, and of the amount behind a calculated one."""
