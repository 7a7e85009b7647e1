"""The part of a plan that says on what orders run and what is theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

OWN_TOPIC = "$mes"
"""Last level of the topic on which a site's MES tells; no id can be it."""


@dataclass(frozen=True, slots=True)
class PlanOrderUnit:
    """A unit on which orders run; ids are full."""

    id: str
    meters: tuple[int, ...]
    """Points."""
    sources: tuple[str, ...]
    """Sources with a meter."""
    documented: tuple[str, ...]
    """Sources that documents tell: known for no instant, so nothing of them is an order's."""
    output: int | None
    overlap: Literal["refuse", "time", "planned"]


@dataclass(frozen=True, slots=True)
class PlanShared:
    """A utility that serves units."""

    id: str
    name: str
    meters: tuple[int, ...]
    sources: tuple[str, ...]
    to: tuple[str, ...]
    by: Literal["energy", "output", "time", "shares"]
    shares: tuple[float, ...]
    """As `to`; empty of other keys."""


@dataclass(frozen=True, slots=True)
class PlanMes:
    """What a MES is told about, and tells."""

    topics: tuple[str, ...] = ()
    units: tuple[PlanOrderUnit, ...] = ()
    shared: tuple[PlanShared, ...] = ()
    by_unit: Mapping[str, PlanOrderUnit] = field(default_factory=dict)

    def serving(self, unit: str) -> tuple[PlanShared, ...]:
        """The utilities that serve a unit."""
        return tuple(one for one in self.shared if unit in one.to)
