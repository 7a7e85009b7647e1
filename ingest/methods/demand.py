"""Demand inside a running block: what it will come to, and what may still be drawn.

The supplier's meter takes the mean power of blocks (15 minutes, say) and bills the highest. Inside a block:

    projected   = (energy so far + present load · rest) / length
    at least    = energy so far / length          if nothing more is drawn
    may draw    = (contract · length - energy so far) / rest

The present load is the mean over a short window that ends at the horizon. It is persistence, no forecast: it is as
good as the load is steady, and the better the shorter the rest. So what is *sure* is told apart: the projection with
a load that has fallen by the contract's `caution` for all of the rest, once the window of the load lies in the block,
for a load of the block before says nothing of this one; and before that only what has been drawn already, if
that alone is more than the contract allows. Where the load falls no further than that, no announcement is false.

Plain Python on a few numbers: ingest and service both call it, and the service loads no kernel.
"""

import math
from dataclasses import dataclass

from ingest.methods.figures import Figure, KpiKind, NoFigure, combine
from ingest.model import HOUR

NOISE = 1.0 + 1e-9
"""A sum of floats may be so much above a contract that is kept to the count."""


def block_begin(at: int, block_us: int, phase_us: int) -> int:
    """The begin of the block in which an instant (µs) lies; `phase_us` as in `PlanKpi`."""
    return at - (at + phase_us) % block_us


@dataclass(frozen=True, slots=True)
class Running:
    """What is known of a block at a horizon within it or at its end. Instants and spans in µs."""

    from_at: int
    length_us: int
    horizon_at: int
    energy: float
    """Drawn so far, in the KPI's unit times hours."""
    covered_us: int
    """Time of which that is known."""
    load: float | None
    """Mean over the load window; None: nothing is known of it."""
    load_from_at: int
    contract: float | None
    """In the KPI's unit."""
    caution: float = 0.0

    @property
    def end_at(self) -> int:
        """End of the block."""
        return self.from_at + self.length_us

    @property
    def rest_us(self) -> int:
        """What is left of the block."""
        return self.end_at - self.horizon_at


@dataclass(frozen=True, slots=True)
class Projection:
    """What a running block comes to, in the KPI's unit; what is None has its reason."""

    projected: float | None
    reason: NoFigure | None
    """Why nothing is projected."""
    at_least: float | None
    """If nothing more is drawn; with a gap in the block what is known of it."""
    sure: float | None
    """What may be announced: the projection with caution; None where it rests on the block before."""
    may_draw: float | None
    """Mean over the rest with which the block comes to the contract just so; 0: it exceeds it already."""
    headroom: float | None
    """The same less the present load; below 0: so much has to be shed."""
    no_room: NoFigure | None
    """Why nothing is said of what may be drawn."""
    exceeds_at: int | None
    """When the energy of the contract is drawn at the present load, µs; None: not in this block."""

    def announces(self, contract: float | None) -> bool:
        """Whether an exceedance of the contract is announced."""
        return contract is not None and self.sure is not None and self.sure > contract * NOISE


def project(running: Running) -> Projection:
    """The projection of a block; see the module."""
    hours, rest_h = running.length_us / HOUR, running.rest_us / HOUR
    energy, load, contract = running.energy, running.load, running.contract
    reason = _why_not(running)
    at_least = energy / hours if math.isfinite(energy) else None
    drawn = (
        at_least if at_least is not None and contract is not None and at_least > contract * NOISE else None
    )
    if reason is not None or load is None:
        reason = reason or NoFigure.GAP
        return Projection(None, reason, at_least, drawn, None, None, reason, None)
    projected = (energy + load * rest_h) / hours
    cautious = (energy + load * (1.0 - running.caution) * rest_h) / hours
    sure = cautious if running.load_from_at >= running.from_at or rest_h <= 0 else drawn
    no_room = _no_room(running)
    if no_room is not None or contract is None:
        return Projection(projected, None, at_least, sure, None, None, no_room, None)
    left = contract * hours - energy
    may_draw = max(0.0, left / rest_h)
    exceeds_at = _exceeds_at(running, left)
    return Projection(projected, None, at_least, sure, may_draw, may_draw - load, None, exceeds_at)


def running_block(
    *,
    block: tuple[int, int, float, int],
    load: tuple[int, int, float, float, int],
    length_us: int,
    contract: float | None,
    caution: float,
) -> Running:
    """The running block of the windows that ingest evaluates.

    Args:
        block: from, horizon, sum a, covered time of the block's window.
        load: from, horizon, sums a and b, covered time of the load's window.
        length_us: of the block.
        contract: in the KPI's unit; None: there is none.
        caution: of the contract.
    """
    from_at, horizon_at, energy, covered_us = block
    load_from_at, load_at, a, b, load_us = load
    mean, _ = combine(KpiKind.DEMAND, a, b, load_us)
    whole = load_us == load_at - load_from_at and load_at == horizon_at
    return Running(
        from_at=from_at,
        length_us=length_us,
        horizon_at=horizon_at,
        energy=energy,
        covered_us=covered_us,
        load=mean if whole else None,
        load_from_at=load_from_at,
        contract=contract,
        caution=caution,
    )


def _why_not(running: Running) -> NoFigure | None:
    known: Figure = combine(KpiKind.TOTAL, running.energy, 0.0, running.covered_us)
    if known[1] is not None:
        return known[1]
    return NoFigure.GAP if running.covered_us < running.horizon_at - running.from_at else None


def _no_room(running: Running) -> NoFigure | None:
    if running.contract is None:
        return NoFigure.NO_CONTRACT
    return NoFigure.ENDED if running.rest_us <= 0 else None


def _exceeds_at(running: Running, left: float) -> int | None:
    """When `left` has been drawn at the present load."""
    if left <= 0:
        return running.horizon_at
    assert running.load is not None
    if running.load <= 0 or left / running.load * HOUR >= running.rest_us:
        return None
    return running.horizon_at + round(left / running.load * HOUR)
