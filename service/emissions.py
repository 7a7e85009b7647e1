"""Emissions of a span, grouped, with the two routes always apart.

What a stack analyser measured and what activity times factor gives are two
accounts of the same gas: every group is told once per route and never summed
over them; so it is with location- and market-based, and with green power, own
generation and export beside what the grid supplied. Nor are gases summed: a mass of
CH4 is no mass of CO2. Sums are correctly rounded (`exact_sum`) over the stored intervals.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from ingest.methods.figures import NoFigure
from ingest.model import Quality
from ingest.plant.plan import Plan, PlanSource
from service import past
from service.as_of import AsOfDocument, Known
from service.documents import Page
from service.figures import (
    QUALITY_NAMES,
    Figure,
    data_age_s,
    exact_sum,
    finite,
    reason_names,
    share,
    with_gap,
)
from service.frontiers import closed_until
from service.problems import ProblemError
from service.store import Connection, Row, chunks, rows
from service.times import to_datetime
from service.windows import joined

GroupBy = Literal["scope", "category", "source", "method", "gas"]
MOST_INTERVALS = 400_000
"""Intervals, of all sources together, one answer may read."""


class EmissionFigure(Figure):
    """The mass of one gas that one group emitted by one route, in kg."""

    site: str
    group: str = Field(description="The scope, category, source, method or gas")
    route: Literal["measured", "calculated"] = Field(
        description="Two accounts of the same gas: never add them"
    )
    gas: str
    basis: Literal["location", "market"] | None = Field(
        description="Of scope 2: two accounts of the same energy, never to be added; null: not declared"
    )
    supply: Literal["grid", "green", "own", "export"] | None = Field(
        description="Where electricity came from or went to, told apart; null: not declared"
    )
    sources: list[str] = Field(description="Full ids of the sources in the group")


class EmissionsPage(Page[EmissionFigure]):
    """The groups of all sites."""

    as_of: dict[str, AsOfDocument] = Field(description="By site id")


@dataclass(slots=True)
class SourceSum:
    """What one source emitted in the span."""

    source: PlanSource
    from_at: int
    to_at: int
    """The end of its group's span."""
    mass_kg: list[float] = field(default_factory=list)
    covered_us: int = 0
    valid_us: int = 0
    substituted_us: int = 0
    quality: int = Quality.GOOD
    reasons: int = 0
    revisions: set[int] = field(default_factory=set)
    plan_version: int = 0
    known_at: int = 0
    no_factor: bool = False
    """Whether there was activity and no factor for any of it."""

    def add(self, values: Row) -> None:
        """Count one interval in, unless the group's span has ended."""
        start_at, mass, covered, valid, substituted, quality, reasons, revision, version, known_at = values
        if start_at >= self.to_at:
            return
        self.mass_kg.append(mass)
        self.covered_us += covered
        self.valid_us += valid
        self.substituted_us += substituted
        self.quality = max(self.quality, quality)
        self.reasons |= reasons
        self.revisions.add(revision)
        self.plan_version = max(self.plan_version, version)
        self.known_at = max(self.known_at, known_at)


def check_size(asked: Iterable[tuple[Plan, tuple[int, int]]]) -> None:
    """Refuse spans (from, to) in µs whose intervals would be too many.

    Raises:
        ProblemError: with the number and the bound.
    """
    count = sum(
        len(plan.sources) * ((to_at - from_at) // plan.interval_us) for plan, (from_at, to_at) in asked
    )
    if count > MOST_INTERVALS:
        raise ProblemError(
            "too-much-asked",
            f"The emissions would be summed from {count} intervals: expected at most {MOST_INTERVALS};"
            " ask for a shorter span or one site.",
        )


async def of_site(
    connection: Connection,
    plan: Plan,
    from_at: int,
    to_at: int,
    group_by: GroupBy,
    now: int,
    known: Known,
) -> list[EmissionFigure]:
    """The groups of one site over [from_at, to_at) µs, on interval edges, in the plan's order; all `known`."""
    from_at, to_at = from_at - from_at % plan.interval_us, to_at - to_at % plan.interval_us
    closed = await _closed_ends(connection, plan, known)
    groups: dict[tuple[str | None, ...], list[PlanSource]] = {}
    for source in plan.sources:
        apart = (_group(source, group_by), source.route, source.gas, source.basis, source.supply)
        groups.setdefault(apart, []).append(source)
    sums: dict[int, SourceSum] = {}
    members: list[tuple[str, list[SourceSum]]] = []
    for sources in groups.values():
        # A sum speaks of one span: it ends where the first of its sources ends.
        end = max(from_at, min(to_at, *(closed[source.id][1] for source in sources)))
        made = {closed[source.id][0]: SourceSum(source, from_at, end) for source in sources}
        sums |= made
        members.append((_group(sources[0], group_by), list(made.values())))
    await _read(connection, sums, from_at, to_at, known)
    for one in sums.values():
        if one.source.varies and not one.mass_kg and one.to_at > one.from_at:
            one.no_factor = await _had_activity(connection, plan, one, known)
    return [_figure(plan, group_by, group, found, now) for group, found in members]


async def _closed_ends(connection: Connection, plan: Plan, known: Known) -> dict[str, tuple[int, int]]:
    """Per source its number and the end of its closed span, µs; a negative number and 0 where it has none."""
    points = [point for source in plan.sources for point in source.points]
    frontiers = await closed_until(connection, plan, points, known)
    last = await _newest(connection, [source.id for source in plan.sources], known)
    ends = {}
    for place, source in enumerate(plan.sources):
        number, last_at = last.get(source.id, (-1 - place, None))
        until = min(frontiers.get(point, 0) for point in source.points)
        if last_at is not None:
            until = max(last_at + plan.interval_us, until)
        else:  # without a factor nothing is emitted that is known, for as long as the activity is
            until = frontiers.get(source.point, 0) if source.varies else 0
        ends[source.id] = (number, until)
    return ends


async def _had_activity(connection: Connection, plan: Plan, one: SourceSum, known: Known) -> bool:
    """Whether the activity of a source has an amount in its span."""
    chosen = """
        point_no = (SELECT point_no FROM point WHERE id = %(id)s) AND start_at >= %(from)s AND start_at < %(to)s
        AND revision > 0 AND quality < 3 AND amount IS NOT NULL
    """
    found = await rows(
        connection,
        f"SELECT 1 FROM ({past.rows_of('interval', 'start_at', chosen, known)}) amounts LIMIT 1",  # noqa: S608
        {
            "id": plan.points[one.source.point].id,
            "from": to_datetime(one.from_at),
            "to": to_datetime(one.to_at),
            "batch": known.batch_no,
        },
    )
    return bool(found)


async def _newest(
    connection: Connection, sources: list[str], known: Known
) -> dict[str, tuple[int, int | None]]:
    """Per source its number and the start of its last interval, µs."""
    if known.past:
        numbers = await rows(connection, "SELECT id, source_no FROM source WHERE id = ANY(%s)", [sources])
        return {
            source: (
                number,
                (await past.first_and_last(connection, "emission", "source_no", number, known))[1],
            )
            for source, number in numbers
        }
    found = await rows(
        connection,
        """
        SELECT s.id, s.source_no, (SELECT max(start_at) FROM emission e WHERE e.source_no = s.source_no)
          FROM source s
         WHERE s.id = ANY(%s)
        """,
        [sources],
    )
    return {source: (number, last_at) for source, number, last_at in found}


async def _read(
    connection: Connection, sums: dict[int, SourceSum], from_at: int, to_at: int, known: Known
) -> None:
    columns = """
        source_no, start_at, mass_kg, covered_us, valid_us, substituted_us, quality, reasons, revision, plan_version,
        known_at
    """
    chosen = "source_no = ANY(%(sources)s) AND start_at >= %(from)s AND start_at < %(to)s"
    query = past.rows_of("emission", columns, chosen, known)
    values = {
        "sources": list(sums),
        "from": to_datetime(from_at),
        "to": to_datetime(to_at),
        "batch": known.batch_no,
    }
    async for part in chunks(connection, f"{query} ORDER BY source_no, start_at", values):
        for number, *figures in part:
            sums[number].add(tuple(figures))


def _group(source: PlanSource, group_by: GroupBy) -> str:
    match group_by:
        case "scope":
            return str(source.scope)
        case "category":
            return source.category
        case "source":
            return source.id
        case "method":
            return source.method
        case "gas":
            return source.gas


def _figure(plan: Plan, group_by: GroupBy, group: str, members: list[SourceSum], now: int) -> EmissionFigure:
    from_at, to_at = members[0].from_at, members[0].to_at
    span = to_at - from_at
    masses = [mass for member in members for mass in member.mass_kg]
    revisions = sorted(revision for member in members for revision in member.revisions)
    reason = None if all(member.mass_kg for member in members) else NoFigure.GAP if span else NoFigure.NO_DATA
    if any(member.no_factor for member in members):
        reason = NoFigure.NO_FACTOR
    value, reason = finite(exact_sum(masses) if reason is None else None, reason)
    return EmissionFigure(
        id=group if group_by == "source" else f"{plan.site}/{group_by}/{group}",
        unit="kg",
        window=span or None,
        from_=from_at,
        to=to_at,
        value=value,
        reason=reason,
        quality=QUALITY_NAMES[max(member.quality for member in members) if reason is None else Quality.BAD],
        reasons=reason_names(joined(with_gap(member.reasons, member.covered_us, span) for member in members)),
        valid_share=min(share(member.valid_us, span) for member in members),
        substituted_share=max(share(member.substituted_us, span) for member in members),
        revision=revisions[-1] if revisions and revisions[0] else 0,
        known_at=max(member.known_at for member in members) or None,
        data_age_s=data_age_s(plan, to_at, now) if span else None,
        method=" ".join(dict.fromkeys(member.source.method for member in members)),
        plan_version=max(member.plan_version for member in members) or plan.version,
        site=plan.site,
        group=group,
        route=members[0].source.route,
        gas=members[0].source.gas,
        basis=members[0].source.basis,
        supply=members[0].source.supply,
        sources=[member.source.id for member in members],
    )
