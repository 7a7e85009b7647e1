"""Emissions of a span, grouped, with the two routes always apart.

What a stack analyser measured and what activity times factor gives are two
accounts of the same gas: every group is told once per route and never summed
over them; so it is with location- and market-based, and with green power, own
generation and export beside what the grid supplied. Nor are gases summed: a mass of
CH4 is no mass of CO2; nor what was emitted with what is biogenic, captured, fixed or
offset. Sums are correctly rounded (`exact_sum`) over the stored intervals. What documents
tell is `service.documented`'s.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.methods.figures import NoFigure
from ingest.model import Quality
from ingest.plant.plan import Plan, PlanSource
from service import past
from service.analysed import documents_of
from service.as_of import Known
from service.emission_uncertainty import emission_sureness, mrr_tier
from service.factor_book import FactorBook, factor_book
from service.figures import (
    QUALITY_NAMES,
    data_age_s,
    exact_sum,
    finite,
    reason_names,
    share,
    with_gap,
)
from service.inventory import EmissionFigure, GroupBy, Potentials, apart, group_of
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError
from service.source_ends import closed_ends, lacks_factor
from service.store import Connection, Row, chunks
from service.times import to_datetime
from service.uncertainty import Sureness, UncertaintyDocument
from service.windows import joined

MOST_INTERVALS = 400_000
"""Intervals, of all sources together, one answer may read."""


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
    versions: set[int] = field(default_factory=set)
    known_at: int = 0
    no_factor: bool = False
    """Whether there was activity without a factor."""
    documents: Sequence[int] = ()
    """Those of the analyses it rests on."""

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
        self.versions.add(version)
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
    plans: PlanCache,
    site: SitePlan,
    from_at: int,
    to_at: int,
    group_by: GroupBy,
    now: int,
    known: Known,
    potentials: Potentials,
) -> tuple[list[EmissionFigure], FactorBook, dict[str, Sureness]]:
    """The metered groups of one site over [from_at, to_at) µs, on interval edges, in the plan's order; all `known`.

    And by the id of a source that is a line of its own how sure that is.
    """
    plan = site.plan
    from_at, to_at = from_at - from_at % plan.interval_us, to_at - to_at % plan.interval_us
    closed = await closed_ends(connection, plan, known)
    groups: dict[tuple[str | None, ...], list[PlanSource]] = {}
    for source in plan.sources:
        groups.setdefault(apart(source, group_by, "metered"), []).append(source)
    sums: dict[int, SourceSum] = {}
    members: list[tuple[str, list[SourceSum]]] = []
    for sources in groups.values():
        # A sum speaks of one span: it ends where the first of its sources ends.
        end = max(from_at, min(to_at, *(closed[source.id][1] for source in sources)))
        made = {closed[source.id][0]: SourceSum(source, from_at, end) for source in sources}
        sums |= made
        members.append((group_of(sources[0], group_by, "metered"), list(made.values())))
    await _read(connection, sums, from_at, to_at, known)
    for number, one in sums.items():
        if one.source.varies and one.to_at > one.from_at:
            span = one.from_at, one.to_at
            one.no_factor = await lacks_factor(connection, plan, one.source, number, span, known)
    analysed = await documents_of(connection, plan, plan.sources, (from_at, to_at), known)
    for one in sums.values():
        one.documents = analysed.get(one.source.id, ())
    groups_of = [[one.source for one in found] for _, found in members]
    ends = [found[0].to_at for _, found in members]
    sure = await emission_sureness(connection, plans, site, groups_of, from_at, ends, known)
    book = await factor_book(connection, plan, {version for one in sums.values() for version in one.versions})
    figures = [
        _figure(plan, group_by, group, found, now, potentials, book, one)
        for (group, found), one in zip(members, sure, strict=True)
    ]
    apart_of = {
        found[0].source.id: one for (_, found), one in zip(members, sure, strict=True) if len(found) == 1
    }
    return figures, book, apart_of


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


def mass_of(members: list[SourceSum], span: int) -> tuple[float | None, NoFigure | None]:
    """The mass of a group over a span in µs, or why there is none."""
    if any(member.no_factor for member in members):
        return None, NoFigure.NO_FACTOR
    if not all(member.mass_kg for member in members):
        return None, NoFigure.GAP if span else NoFigure.NO_DATA
    return finite(exact_sum(mass for member in members for mass in member.mass_kg), None)


def revision_of(members: list[SourceSum]) -> int:
    """0 if any interval is provisional, else the highest."""
    revisions = sorted(revision for member in members for revision in member.revisions)
    return revisions[-1] if revisions and revisions[0] else 0


def _told(members: list[SourceSum], sure: Sureness, value: float | None) -> UncertaintyDocument | None:
    substituted_us = max(member.substituted_us for member in members)
    return sure.document(value, (value or 0.0, 0.0), (members[0].from_at, members[0].to_at), substituted_us)


def _figure(
    plan: Plan,
    group_by: GroupBy,
    group: str,
    members: list[SourceSum],
    now: int,
    potentials: Potentials,
    book: FactorBook,
    sure: Sureness,
) -> EmissionFigure:
    source, from_at, to_at = members[0].source, members[0].from_at, members[0].to_at
    versions = {version for member in members for version in member.versions}
    factors, unconfirmed = book.of([(member.source, member.versions) for member in members])
    span = to_at - from_at
    value, reason = mass_of(members, span)
    told = _told(members, sure, value)
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
        uncertainty=told,
        revision=revision_of(members),
        known_at=max(member.known_at for member in members) or None,
        data_age_s=data_age_s(plan, to_at, now) if span else None,
        method=" ".join(dict.fromkeys(member.source.method for member in members)),
        plan_version=max(versions, default=plan.version),
        site=plan.site,
        group=group,
        route=source.route,
        gas=source.gas,
        account=source.account,
        evidence="metered",
        co2e_kg=potentials.co2e_kg(source.gas, value),
        basis=source.basis,
        supply=source.supply,
        sources=[member.source.id for member in members],
        factors=factors,
        unconfirmed=unconfirmed,
        defaulted=[],
        documents=sorted({number for member in members for number in member.documents}),
        mrr_tier=mrr_tier(source, told),
    )
