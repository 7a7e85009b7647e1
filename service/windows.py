"""Windows over a KPI's closed intervals: Σ/Σ, the same sums the live pipeline makes.

A window is [end - W, end). Its numerator and denominator are the correctly
rounded sums (`exact_sum`) of the intervals in it, combined by the kind; so a
window here equals the live window over the same intervals bit for bit, and a
day is never a mean of hours. Plain lists: no database, no clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.methods.demand import block_begin
from ingest.methods.figures import KpiKind, NoFigure, combine
from ingest.model import Quality, Reason
from service.figures import exact_sum, finite, with_gap
from service.store import Row

COLUMNS = (
    "start_at, a, b, covered_us, valid_us, substituted_us, quality, reasons, revision, plan_version, known_at"
)
"""What `KpiRows` is made of, in order, as `kpi_value` calls it."""


@dataclass(slots=True)
class KpiRows:
    """Closed intervals of one KPI, ascending in time, as columns."""

    start_at: list[int] = field(default_factory=list)
    a: list[float] = field(default_factory=list)
    b: list[float] = field(default_factory=list)
    covered_us: list[int] = field(default_factory=list)
    valid_us: list[int] = field(default_factory=list)
    substituted_us: list[int] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    reasons: list[int] = field(default_factory=list)
    revision: list[int] = field(default_factory=list)
    plan_version: list[int] = field(default_factory=list)
    known_at: list[int] = field(default_factory=list)

    def extend(self, rows: Iterable[Row]) -> None:
        """Append rows of `COLUMNS`."""
        columns = zip(*rows, strict=True)
        for name, column in zip(self.__slots__, columns, strict=True):
            getattr(self, name).extend(column)


@dataclass(frozen=True, slots=True)
class WindowFigure:
    """What one window comes to."""

    from_at: int
    to_at: int
    a: float
    b: float
    """The sums it is made of."""
    value: float | None
    reason: NoFigure | None
    quality: int
    reasons: int
    covered_us: int
    valid_us: int
    substituted_us: int
    revision: int
    """0 if any interval is provisional, else the highest."""
    plan_version: int | None
    known_at: int | None


@dataclass(frozen=True, slots=True)
class BlockRates:
    """The rate of every whole block with intervals in it, ascending in time; of a load factor."""

    block_us: int
    start_at: list[int]
    rate: list[float]

    def largest(self, from_at: int, to_at: int) -> float:
        """The largest of the blocks that lie in [from_at, to_at) whole; 0 if there is none."""
        first = bisect_left(self.start_at, from_at)
        end = bisect_right(self.start_at, to_at - self.block_us)
        return max(self.rate[first:end], default=0.0)


def block_rates(rows: KpiRows, block_us: int, phase_us: int) -> BlockRates:
    """The rates of aligned blocks; once for all windows, of which each holds many."""
    made = BlockRates(block_us, [], [])
    begin = 0
    while begin < len(rows.start_at):
        start_at = block_begin(rows.start_at[begin], block_us, phase_us)
        end = bisect_left(rows.start_at, start_at + block_us, begin)
        b = exact_sum(rows.b[begin:end])
        if b:
            made.start_at.append(start_at)
            made.rate.append(max(0.0, exact_sum(rows.a[begin:end]) / b))
        begin = end
    return made


def window_figure(
    rows: KpiRows, kind: KpiKind, blocks: BlockRates | None, from_at: int, to_at: int
) -> WindowFigure:
    """The figure of [from_at, to_at), instants in µs; `blocks` are those of a load factor."""
    chosen = slice(bisect_left(rows.start_at, from_at), bisect_left(rows.start_at, to_at))
    if chosen.start == chosen.stop:
        return WindowFigure(
            from_at,
            to_at,
            0.0,
            0.0,
            None,
            NoFigure.GAP,
            Quality.BAD,
            int(Reason.GAP),
            0,
            0,
            0,
            revision=0,
            plan_version=None,
            known_at=None,
        )
    a, b = exact_sum(rows.a[chosen]), exact_sum(rows.b[chosen])
    if kind is KpiKind.LOAD_FACTOR:
        assert blocks is not None
        a, b = a / b if b else 0.0, blocks.largest(from_at, to_at)
    covered_us = sum(rows.covered_us[chosen])
    value, reason = finite(*combine(kind, a, b, covered_us))
    return WindowFigure(
        from_at,
        to_at,
        a,
        b,
        value,
        reason,
        max(rows.quality[chosen]),
        with_gap(joined(rows.reasons[chosen]), covered_us, to_at - from_at),
        covered_us,
        sum(rows.valid_us[chosen]),
        sum(rows.substituted_us[chosen]),
        revision=_joint_revision(rows.revision[chosen]),
        plan_version=max(rows.plan_version[chosen]),
        known_at=max(rows.known_at[chosen]),
    )


def joined(reasons: Iterable[int]) -> int:
    """All reasons of sets of them."""
    found = 0
    for bits in set(reasons):  # nearly always a few, of thousands of intervals
        found |= bits
    return found


def _joint_revision(revisions: Sequence[int]) -> int:
    return max(revisions) if min(revisions) else 0
