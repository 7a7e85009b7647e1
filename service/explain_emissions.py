"""A line of `/v1/emissions` that meters tell: its mass from the intervals of its sources."""

from ingest.model import Quality
from ingest.plant.plan import Plan, PlanSource
from service import past
from service.as_of import Known
from service.emissions import SourceSum, mass_of, revision_of
from service.explain_terms import Versions, factors_of, points_of, source_terms
from service.explaining import FigureDocument, Found, Row, Wanted, check_size
from service.factor_book import factor_book
from service.figures import QUALITY_NAMES, reason_names, share, with_gap
from service.inventory import apart, group_of
from service.plans import PlanCache, SitePlan
from service.source_ends import closed_ends, lacks_factor
from service.store import Connection, rows
from service.store import Row as Stored
from service.times import to_datetime
from service.windows import joined

ARITHMETIC = [
    "value = mass_kg",
    "mass_kg: the sum of `values.mass_kg` of all rows, exact and rounded once to the nearest float64, ties to even",
    (
        "row.mass_kg = amount · term.weight, with a factor_point (amount · its mean) · term.weight, each product a float64;"
        " where a term has steps the weight is that of the last step at or before the row's begin"
    ),
    "no mass where a source has no row (gap), or an amount of which no mass is known (no_factor)",
]
_COLUMNS = (
    "source_no, start_at, mass_kg, covered_us, valid_us, substituted_us, quality, reasons, revision, plan_version,"
    " known_at, cause, batch_no"
)
_CHOSEN = "source_no = ANY(%(sources)s) AND start_at >= %(from)s AND start_at < %(to)s"


async def explain(
    connection: Connection, plans: PlanCache, site: SitePlan, wanted: Wanted, known: Known
) -> Found:
    """The metered line of a grouping that holds the source `wanted.id`, over [from, to)."""
    plan = site.plan
    asked = next(one for one in plan.sources if one.id == wanted.id)
    mark = apart(asked, wanted.group_by, "metered")
    sources = [one for one in plan.sources if apart(one, wanted.group_by, "metered") == mark]
    from_at = wanted.from_at - wanted.from_at % plan.interval_us
    to_at = wanted.to_at - wanted.to_at % plan.interval_us
    check_size(len(sources) * (to_at - from_at) // plan.interval_us)
    sums, stored = await _read(connection, plan, sources, (from_at, to_at), known)
    versions = await Versions.of(
        connection, plans, site, {version for one in sums.values() for version in one.versions}
    )
    terms = {number: source_terms(versions.only(one.versions), one.source) for number, one in sums.items()}
    flat = [term for mine in terms.values() for term in mine.values()]
    book = await factor_book(connection, plan, {one.plan_version for one in flat})
    figure = _figure(plan.site, wanted, list(sums.values()), plan.version)
    inputs = [plan.points[place].id for one in sources for place in one.points]
    return Found(
        figure=figure,
        method=" ".join(dict.fromkeys(one.method for one in sources)),
        arithmetic=ARITHMETIC,
        rows=[
            Row(sums[number].source.id, start, start + plan.interval_us, {"mass_kg": mass}, quality, reasons, covered,
                revision, cause, version, batch, points_of([terms[number][version]]))
            for number, start, mass, covered, _, _, quality, reasons, revision, version, _, cause, batch in stored
        ],
        sums={"mass_kg": figure.value},
        parameters={"interval_us": plan.interval_us},
        terms=flat,
        factors=factors_of(book, flat),
        points=list(dict.fromkeys((*points_of(flat), *inputs))),
        own=("emission", "source"),
    )  # fmt: skip


async def _read(
    connection: Connection, plan: Plan, sources: list[PlanSource], span: tuple[int, int], known: Known
) -> tuple[dict[int, SourceSum], list[Stored]]:
    """What the sources of a line come to by their numbers, and the rows; it ends where the first of them ends."""
    closed = await closed_ends(connection, plan, known)
    from_at, end = span[0], max(span[0], min(span[1], *(closed[one.id][1] for one in sources)))
    sums = {closed[one.id][0]: SourceSum(one, from_at, end) for one in sources}
    stored = await rows(
        connection,
        f"{past.rows_of('emission', _COLUMNS, _CHOSEN, known)} ORDER BY source_no, start_at",
        {
            "sources": list(sums),
            "from": to_datetime(from_at),
            "to": to_datetime(end),
            "batch": known.batch_no,
        },
    )
    for number, *values in stored:
        sums[number].add(tuple(values[:-2]))
    for number, one in sums.items():
        if one.source.varies and end > from_at:
            one.no_factor = await lacks_factor(connection, plan, one.source, number, (from_at, end), known)
    return sums, stored


def _figure(site: str, wanted: Wanted, members: list[SourceSum], version: int) -> FigureDocument:
    first = members[0]
    group = group_of(first.source, wanted.group_by, "metered")
    span = first.to_at - first.from_at
    value, reason = mass_of(members, span)
    return FigureDocument(
        id=group if wanted.group_by == "source" else f"{site}/{wanted.group_by}/{group}",
        unit="kg",
        from_=first.from_at,
        to=first.to_at,
        value=value,
        count=None,
        reason=reason,
        quality=QUALITY_NAMES[max(one.quality for one in members) if reason is None else Quality.BAD],
        reasons=reason_names(joined(with_gap(one.reasons, one.covered_us, span) for one in members)),
        valid_share=min(share(one.valid_us, span) for one in members),
        substituted_share=max(share(one.substituted_us, span) for one in members),
        revision=revision_of(members),
        plan_version=max((one for member in members for one in member.versions), default=version),
        known_at=max(one.known_at for one in members) or None,
    )
