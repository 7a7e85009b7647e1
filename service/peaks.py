"""The highest block of a month, of closed intervals.

A block's demand is its energy by its length. Of a block with a gap that is what it came to at least, so
the highest that is told is what the month came to at least; how much of the month is known stands beside it.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

from ingest.model import HOUR, MINUTE
from ingest.plant.plan import Plan, PlanKpi
from ingest.plant.plan_prices import PlanCharge
from service import past
from service.as_of import Known
from service.local_time import month_before
from service.store import Connection, rows
from service.times import to_datetime

KEPT_US = MINUTE
"""So long a month's peak is taken as it was read, but for its last blocks: it may be late data that change it."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest block of a span, µs and the KPI's unit."""

    from_at: int
    to_at: int
    value: float | None
    """None: nothing is known of the span."""
    at: int | None
    """Begin of the block."""
    blocks: int
    """With anything known of them."""
    covered_us: int
    revision: int
    """0 if any interval is provisional, else the highest."""
    known_at: int
    versions: frozenset[int]

    @property
    def share(self) -> float:
        """How much of the span is known."""
        return self.covered_us / (self.to_at - self.from_at) if self.to_at > self.from_at else 0.0

    def then(self, later: "Peak") -> "Peak":
        """The peak of a span and the one that begins at its end."""
        is_higher = later.value is not None and (self.value is None or later.value > self.value)
        highest = later if is_higher else self
        told = [one for one in (self, later) if one.blocks]
        return Peak(
            from_at=self.from_at,
            to_at=later.to_at,
            value=highest.value,
            at=highest.at,
            blocks=self.blocks + later.blocks,
            covered_us=self.covered_us + later.covered_us,
            revision=0 if any(one.revision == 0 for one in told) else max(self.revision, later.revision),
            known_at=max(self.known_at, later.known_at),
            versions=self.versions | later.versions,
        )


class LivePeaks:
    """The peaks of running months, and what their ratchets look at, read whole at most once a minute."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Peak]] = {}
        self._earlier: dict[tuple[str, int, int], tuple[int, Fraction]] = {}

    async def of_month(
        self, connection: Connection, kpi: PlanKpi, begin: int, end: int, known: Known, now: int
    ) -> Peak:
        """The highest block of [begin, end) µs, `end` on an edge of blocks; the last may not be closed yet."""
        assert kpi.block_us is not None
        settled = max(begin, end - kpi.block_us)
        kept = self._kept.get(kpi.id)
        if (
            kept is None
            or kept[1].from_at != begin
            or kept[1].to_at > settled
            or not 0 <= now - kept[0] < KEPT_US
        ):
            kept = now, await peak(connection, kpi, begin, settled, known)
            self._kept[kpi.id] = kept
        return kept[1].then(await peak(connection, kpi, kept[1].to_at, end, known))

    async def earlier(
        self,
        connection: Connection,
        plan: Plan,
        kpi: PlanKpi,
        charge: PlanCharge,
        month: int,
        known: Known,
        now: int,
    ) -> Fraction:
        """What the ratchet of a charge looks at in the months before the one that begins at `month`."""
        key = kpi.id, month, charge.ratchet_months
        kept = self._earlier.get(key)
        if kept is None or not 0 <= now - kept[0] < KEPT_US:
            kept = now, await earlier_peak(connection, plan, kpi, charge, month, known)
            self._earlier = {one: held for one, held in self._earlier.items() if one[1] == month} | {
                key: kept
            }
        return kept[1]


async def peak(connection: Connection, kpi: PlanKpi, from_at: int, to_at: int, known: Known) -> Peak:
    """The highest block of [from, to) µs; one that lies in it in part counts with that part."""
    assert kpi.block_us is not None
    chosen = (
        "kpi_no = (SELECT kpi_no FROM kpi WHERE id = %(kpi)s) AND start_at >= %(from)s AND start_at < %(to)s"
    )
    columns = "start_at, a, covered_us, revision, known_at, plan_version"
    found = await rows(
        connection,
        f"""
        SELECT date_bin(%(block)s * INTERVAL '1 microsecond', start_at, %(origin)s), array_agg(a),
               sum(covered_us)::bigint, min(revision), max(revision), max(known_at), array_agg(DISTINCT plan_version)
          FROM ({past.rows_of("kpi_value", columns, chosen, known)}) k GROUP BY 1 ORDER BY 1
        """,  # noqa: S608  fragments of this module
        {
            "kpi": kpi.id,
            "from": to_datetime(max(0, from_at)),
            "to": to_datetime(max(0, to_at)),
            "block": kpi.block_us,
            "origin": to_datetime(-kpi.phase_us),
            "batch": known.batch_no,
        },
    )
    highest, at = None, None
    for begin, amounts, *_ in found:
        demand = _demand(amounts, kpi.block_us)
        if demand is not None and (highest is None or demand > highest):
            highest, at = demand, begin
    return Peak(
        from_at=from_at,
        to_at=to_at,
        value=highest,
        at=at,
        blocks=len(found),
        covered_us=sum(one[2] for one in found),
        revision=0 if any(one[3] == 0 for one in found) else max((one[4] for one in found), default=0),
        known_at=max((one[5] for one in found), default=0),
        versions=frozenset(version for one in found for version in one[6]),
    )


async def earlier_peak(
    connection: Connection, plan: Plan, kpi: PlanKpi, charge: PlanCharge, month: int, known: Known
) -> Fraction:
    """The highest block of the months of a charge's ratchet before the one that begins at `month`."""
    begin = month
    for _ in range(charge.ratchet_months):
        begin = month_before(begin, plan.zone)
    if begin == month:
        return Fraction(0)
    found = await peak(connection, kpi, begin, month, known)
    return Fraction(0) if found.value is None else Fraction(found.value)


def _demand(amounts: list[float], block_us: int) -> float | None:
    try:
        energy = math.fsum(amounts)
    except (OverflowError, ValueError):
        return None
    return energy / (block_us / HOUR) if math.isfinite(energy) else None
