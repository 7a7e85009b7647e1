"""What one transaction writes, as columns.

Points, KPIs and sources stand here as plan indices; the store turns them into
its own numbers. Instants are µs, NaN and `NO_COUNT` mean none.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ingest.mes.statements import Statement
from ingest.model import NEVER
from ingest.pipeline.alerted import Alerted
from kernels.rows import INTERVAL_ROW, STEP_ROW

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.void]

KPI_ROW = np.dtype(
    [
        ("kpi", "i8"),
        ("start_at", "i8"),
        ("a", "f8"),
        ("b", "f8"),
        ("covered_us", "i8"),
        ("valid_us", "i8"),
        ("substituted_us", "i8"),
        ("quality", "i8"),
        ("reasons", "i8"),
    ]
)
"""The sums of one KPI in one interval."""

EMISSION_ROW = np.dtype(
    [
        ("source", "i8"),
        ("start_at", "i8"),
        ("mass_kg", "f8"),
        ("covered_us", "i8"),
        ("valid_us", "i8"),
        ("substituted_us", "i8"),
        ("quality", "i8"),
        ("reasons", "i8"),
    ]
)
"""What one source emitted in one interval."""


@dataclass(slots=True)
class Readings:
    """Accepted readings as columns of equal length, in order of arrival."""

    point: IntArray
    measured_at: IntArray
    received_at: IntArray
    value: FloatArray
    count: IntArray
    quality: IntArray
    reasons: IntArray
    seq: IntArray

    @staticmethod
    def empty() -> "Readings":
        """No readings."""
        ints = [np.zeros(0, np.int64) for _ in range(7)]
        return Readings(ints[0], ints[1], ints[2], np.zeros(0), *ints[3:])

    def __len__(self) -> int:
        return int(self.point.size)

    def take(self, chosen: npt.NDArray[np.bool_] | IntArray) -> "Readings":
        """The chosen rows."""
        return Readings(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))

    @staticmethod
    def join(parts: "list[Readings]") -> "Readings":
        """The rows of all parts, in order."""
        if not parts:
            return Readings.empty()
        names = Readings.__dataclass_fields__
        return Readings(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(slots=True)
class Heads:
    """With what the lists of some points begin, from the store."""

    point: IntArray
    """Plan indices."""
    readings: Readings
    """From the last usable ones at or before `retain_from` of each."""

    @staticmethod
    def none() -> "Heads":
        """Of no point."""
        return Heads(np.zeros(0, np.int64), Readings.empty())


@dataclass(slots=True)
class Latest:
    """A KPI in one of its windows at the present horizon."""

    kpi: int
    window_us: int
    from_at: int
    to_at: int
    a: float
    b: float
    value: float | None
    reason: str | None
    covered_us: int
    valid_us: int
    substituted_us: int
    quality: int
    reasons: int


@dataclass(slots=True)
class Refigured:
    """KPI rows of closed intervals made again."""

    rows: Rows
    """KPI_ROW."""
    gone: IntArray
    """(KPI, start_at) of rows that are no more: an input has nothing usable there now."""

    @staticmethod
    def nothing() -> "Refigured":
        """No rows."""
        return Refigured(np.zeros(0, KPI_ROW), np.zeros((0, 2), np.int64))

    @staticmethod
    def join(parts: "list[Refigured]") -> "Refigured":
        """All of them, in order."""
        all_parts = [Refigured.nothing(), *parts]
        return Refigured(
            np.concatenate([part.rows for part in all_parts]),
            np.concatenate([part.gone for part in all_parts]),
        )


@dataclass(slots=True)
class Batch:
    """The rows of one transaction."""

    watermark: int = NEVER
    readings: Readings = field(default_factory=Readings.empty)
    intervals: Rows = field(default_factory=lambda: np.zeros(0, INTERVAL_ROW))
    """INTERVAL_ROW; `segment` is the plan index of the point. All closed."""
    provisional: Rows = field(default_factory=lambda: np.zeros(0, INTERVAL_ROW))
    """Rows of intervals whose end the watermark has passed but which wait for the next reading."""
    withdrawn: IntArray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    """(point, start_at) of provisional rows told earlier that have turned out to be none."""
    steps: Rows = field(default_factory=lambda: np.zeros(0, STEP_ROW))
    kpi_rows: Rows = field(default_factory=lambda: np.zeros(0, KPI_ROW))
    emissions: Rows = field(default_factory=lambda: np.zeros(0, EMISSION_ROW))
    latest: list[Latest] = field(default_factory=list)
    closed_points: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    closed_until: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Frontier of each of `closed_points` after this batch."""
    silent: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Whether the last interval before it has no row."""
    late: Readings = field(default_factory=Readings.empty)
    """Readings that touch closed time: stored and recomputed by a transaction of their own."""
    late_rows: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Of each of `late` its place among the readings given."""
    reopening: Readings = field(default_factory=Readings.empty)
    """Open readings on which closed time depends: figures of this batch rest on them, so they go with it."""
    behind: IntArray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    """(point, start_at) closed behind a KPI that had gone on without the point."""
    compared: IntArray = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    """(comparison, begin, end) of hours that both its points have closed now."""
    statements: list[tuple[Statement, int]] = field(default_factory=list)
    """What a MES told, and when that arrived, µs."""
    alerts: Alerted | None = None
    """What the alert rules came to; None: they were not judged."""
    duplicates: int = 0
    passed: bool = False
    """Whether the watermark has passed an edge; told even if nothing else is, as silent points close by it."""
    more: bool = False
    """Whether closings are left that did not fit: another batch should follow at once."""

    @property
    def follows(self) -> bool:
        """Whether something closed before may have to be said anew in the same transaction."""
        return bool(self.behind.size or self.compared.size or len(self.reopening))

    @property
    def tells(self) -> bool:
        """Whether something became of alert rules."""
        return self.alerts is not None and not self.alerts.empty

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (
            len(self.readings)
            or len(self.reopening)
            or self.intervals.size
            or self.provisional.size
            or self.withdrawn.size
            or self.closed_points.size
            or self.latest
            or self.behind.size
            or self.compared.size
            or self.statements
            or self.passed
            or self.tells
        )
