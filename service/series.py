"""A KPI over time: one header, and columns of windows.

Windows end at from + step, from + 2·step, … ≤ to, and reach back by `window`;
only closed intervals are in them. Windows that end after the KPI's closed span
are left out, those inside it without any row are gaps.
"""

import asyncio
from dataclasses import dataclass

from pydantic import Field

from ingest.methods.demand import block_begin
from ingest.methods.figures import KpiKind, NoFigure
from ingest.plant.plan import Plan, PlanKpi
from service import past
from service.as_of import AsOfDocument, Known
from service.documents import Document, Instant, Span
from service.figures import QUALITY_NAMES, QualityName, data_age_s, reason_names, share
from service.frontiers import closed_until
from service.kpi_uncertainty import kpi_sureness
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection, chunks, row
from service.tabular import Table
from service.times import format_span, to_datetime
from service.uncertain_rows import grain_of
from service.uncertainty import Sureness, UncertaintyDocument
from service.windows import COLUMNS, KpiRows, WindowFigure, block_rates, window_figure

MOST_WINDOWS = 5_000
MOST_INTERVALS = 200_000
"""Intervals one answer may read: 138 days of minutes."""
MOST_ADDITIONS = 10_000_000
"""Windows times intervals in each: about a second of one core."""


class SeriesColumns(Document):
    """The windows, oldest first; entry i of every column is window i."""

    from_: list[Instant] = Field(alias="from")
    to: list[Instant]
    value: list[float | None] = Field(description="Never rounded")
    reason: list[str | None]
    quality: list[QualityName]
    reasons: list[list[str]] = Field(description="Why a window is not simply good, the weightiest first")
    valid_share: list[float]
    substituted_share: list[float]
    revision: list[int]
    plan_version: list[int | None]
    known_at: list[Instant | None]
    u: list[float | None] = Field(description="Standard uncertainty of the value; null has a reason above")
    expanded: list[float | None] = Field(alias="U", description="k·u, the value's ± at 95 %")


class Series(Document):
    """What all windows share, and the windows."""

    id: str
    unit: str
    method: str
    clock: str = Field(description="live, or replay: times are those of recorded data")
    window: Span = Field(description="The span each value sums")
    step: Span = Field(description="The distance between values")
    from_: Instant = Field(alias="from", description="Begin of the span asked for, on an interval edge")
    to: Instant = Field(description="End of the last window; `from` if there is none")
    uncertainty: UncertaintyDocument | None = Field(
        description="Of the last window that has a value, or why none is known"
    )
    data_age_s: float | None = Field(description="Now minus the end of the KPI's closed span")
    plan_version: int = Field(description="The plan in force now")
    as_of: AsOfDocument
    columns: SeriesColumns


@dataclass(frozen=True, slots=True)
class Ask:
    """A series as asked for, instants and spans in µs."""

    from_at: int
    to_at: int
    window_us: int
    step_us: int


def checked(
    plan: Plan, kpi: PlanKpi, from_at: int, to_at: int, window_us: int | None, step_us: int | None
) -> Ask:
    """The series asked for, put on the plan's grid.

    Raises:
        ProblemError: a span that is no multiple of the interval, or an answer that would be too large.
    """
    grid = kpi.block_us if kpi.kind is KpiKind.DEMAND and kpi.block_us else plan.interval_us
    window_us = window_us or (grid if kpi.kind is KpiKind.DEMAND else min(kpi.windows_us))
    step_us = step_us or window_us
    for name, span in (("window", window_us), ("step", step_us)):
        if span % grid:
            expected = f"a multiple of {format_span(grid)}"
            raise invalid("Query parameter", name, format_span(span), expected)
    from_at = block_begin(from_at, grid, kpi.phase_us if kpi.kind is KpiKind.DEMAND else 0)
    windows = (to_at - from_at) // step_us
    per_window = window_us // plan.interval_us
    for count, most, what in (
        (windows, MOST_WINDOWS, "windows"),
        ((to_at - from_at + window_us) // plan.interval_us, MOST_INTERVALS, "intervals"),
        (windows * per_window, MOST_ADDITIONS, "intervals counted once per window"),
    ):
        if count > most:
            raise ProblemError(
                "too-much-asked",
                f"The series would be made of {count} {what}: expected at most {most};"
                " ask for a shorter span or a longer step.",
            )
    return Ask(from_at, to_at, window_us, step_us)


@dataclass(frozen=True, slots=True)
class Closed:
    """What the database has for a series, instants in µs."""

    rows: KpiRows
    first_at: int | None
    """Begin of the KPI's first interval; None: it has none."""
    until: int | None
    """End of its closed span."""
    end: int
    """End of what was read."""
    known: Known
    sure: Sureness


async def read(
    connection: Connection, plans: PlanCache, site: SitePlan, kpi: PlanKpi, ask: Ask, known: Known
) -> Closed:
    """The closed intervals of a KPI that the windows asked for hold, all of them `known`."""
    plan = site.plan
    first_at, until = await closed_span(connection, plan, kpi, known)
    end = min(ask.to_at, until) if until is not None else ask.from_at
    found = KpiRows()
    if end > ask.from_at:
        found = await closed_rows(connection, kpi, ask.from_at + ask.step_us - ask.window_us, end, known)
    # Buckets begin where the windows do: their ends lie `step` apart, from `from` on.
    grain = grain_of(ask.step_us, ask.window_us, ask.from_at)
    sure = await kpi_sureness(connection, plans, site, kpi, found, grain, known)
    return Closed(found, first_at, until, end, known, sure)


async def closed_rows(
    connection: Connection, kpi: PlanKpi, from_at: int, to_at: int, known: Known
) -> KpiRows:
    """The closed intervals of a KPI that start in [from_at, to_at), µs, all of them `known`."""
    found = KpiRows()
    chosen = """
        kpi_no = (SELECT kpi_no FROM kpi WHERE id = %(kpi)s) AND start_at >= %(from)s AND start_at < %(to)s
    """
    query = past.rows_of("kpi_value", COLUMNS, chosen, known)
    # A window longer than the time since 1970 begins in 1970.
    span = {"from": to_datetime(max(0, from_at)), "to": to_datetime(to_at)}
    async for part in chunks(
        connection, f"{query} ORDER BY start_at", {"kpi": kpi.id, "batch": known.batch_no, **span}
    ):
        found.extend(part)
    return found


async def series_of(plan: Plan, kpi: PlanKpi, ask: Ask, closed: Closed, now: int) -> Series:
    """The series; `now` (µs) is for the age of its data only."""
    # In a thread: ten million additions would hold every other client up.
    windows = await asyncio.to_thread(_windows, closed, kpi, ask)
    sure = await asyncio.to_thread(_sure_of, closed, windows)
    return Series(
        id=kpi.id,
        unit=kpi.unit,
        method=kpi.kind,
        clock=plan.clock,
        window=ask.window_us,
        step=ask.step_us,
        from_=ask.from_at,
        to=windows[-1].to_at if windows else ask.from_at,
        uncertainty=next((one for one in reversed(sure) if one is not None), None),
        data_age_s=None if closed.until is None else data_age_s(plan, closed.until, now),
        plan_version=plan.version,
        as_of=closed.known.document,
        columns=_columns(windows, sure),
    )


def as_table(series: Series) -> Table:
    """The columns of a series as rows."""
    columns = series.columns.model_dump(by_alias=True)
    return Table(list(columns), list(zip(*columns.values(), strict=True)))


def _windows(closed: Closed, kpi: PlanKpi, ask: Ask) -> list[WindowFigure]:
    blocks = None
    if kpi.kind is KpiKind.LOAD_FACTOR:
        assert kpi.block_us is not None
        blocks = block_rates(closed.rows, kpi.block_us, kpi.phase_us)
    made = []
    for to_at in range(ask.from_at + ask.step_us, closed.end + 1, ask.step_us):
        from_at = to_at - ask.window_us
        figure = window_figure(closed.rows, kpi.kind, blocks, from_at, to_at)
        if figure.reason is NoFigure.GAP and (closed.first_at is None or to_at <= closed.first_at):
            continue  # before the KPI began there is nothing that could be missing
        made.append(figure)
    return made


async def closed_span(
    connection: Connection, plan: Plan, kpi: PlanKpi, known: Known
) -> tuple[int | None, int | None]:
    """First instant and end of the KPI's closed intervals, µs; None where it has none."""
    found = await row(
        connection,
        """
        SELECT k.kpi_no, (SELECT min(start_at) FROM kpi_value v WHERE v.kpi_no = k.kpi_no),
               (SELECT max(start_at) FROM kpi_value v WHERE v.kpi_no = k.kpi_no)
          FROM kpi k
         WHERE k.id = %s
        """,
        [kpi.id],
    )
    if found is None:
        return None, None
    number, first_at, last_at = found
    if known.past:
        first_at, last_at = await past.first_and_last(connection, "kpi_value", "kpi_no", number, known)
    if first_at is None or last_at is None:
        return None, None
    inputs = await closed_until(connection, plan, kpi.points, known)
    inputs_until = min(inputs.values()) if len(inputs) == len(kpi.points) else 0
    return first_at, max(last_at + plan.interval_us, inputs_until)


def _sure_of(closed: Closed, windows: list[WindowFigure]) -> list[UncertaintyDocument | None]:
    return [
        closed.sure.document(w.value, (w.a, w.b), (w.from_at, w.to_at), w.substituted_us) for w in windows
    ]


def _columns(windows: list[WindowFigure], sure: list[UncertaintyDocument | None]) -> SeriesColumns:
    return SeriesColumns(
        from_=[w.from_at for w in windows],
        to=[w.to_at for w in windows],
        value=[w.value for w in windows],
        reason=[w.reason for w in windows],
        quality=[QUALITY_NAMES[w.quality] for w in windows],
        reasons=[reason_names(w.reasons) for w in windows],
        valid_share=[share(w.valid_us, w.to_at - w.from_at) for w in windows],
        substituted_share=[share(w.substituted_us, w.to_at - w.from_at) for w in windows],
        revision=[w.revision for w in windows],
        plan_version=[w.plan_version for w in windows],
        known_at=[w.known_at for w in windows],
        u=[None if one is None else one.u for one in sure],
        expanded=[None if one is None else one.expanded for one in sure],
    )
