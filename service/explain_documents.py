"""A line of `/v1/emissions` that documents tell: its mass from the pieces of its documents."""

from ingest.methods.documented import Emitted, Quantity
from ingest.model import Quality, Reason
from ingest.plant.plan import Plan
from service import documented
from service.as_of import Known
from service.explaining import FigureDocument, Found, Row, TermDocument, Values, Wanted, check_size
from service.factor_book import factor_book
from service.inventory import EmissionFigure, Potentials
from service.plans import PlanCache, SitePlan
from service.store import Connection, rows
from service.times import to_datetime

ARITHMETIC = [
    "value = mass_kg",
    (
        "mass_kg: Σ count · kg_per_count of all rows, exact and rounded once to the nearest float64, ties to even; none"
        " where a kg_per_count is null"
    ),
    (
        "row.count = until(row.to) - until(row.from); until(t) = document_count · (t - document_from_us) /"
        " (document_to_us - document_from_us), rounded to whole counts, half away from zero, t in µs since 1970"
    ),
    "kg_per_count: of the analyses and factors in force in the piece, exact and rounded once when it was stored",
]
_PIECES = """
    SELECT s.id, d.document_no, d.from_at, d.to_at, d.count, p.from_at, p.to_at, p.kg_per_count, p.analyses,
           p.defaulted, p.plan_version, p.revision, p.batch_no
      FROM document_piece p JOIN source s USING (source_no) JOIN document d USING (document_no)
     WHERE s.id = ANY(%(sources)s) AND p.from_at < %(to)s AND p.to_at > %(from)s
       AND p.batch_no <= %(batch)s AND (p.superseded_batch IS NULL OR p.superseded_batch > %(batch)s)
     ORDER BY s.id, d.document_no, p.from_at
"""


async def explain(
    connection: Connection, plans: PlanCache, site: SitePlan, wanted: Wanted, known: Known
) -> Found:
    """The documented line of a grouping that holds the source `wanted.id`, over [from, to)."""
    plan = site.plan
    span, potentials = (wanted.from_at, wanted.to_at), Potentials.of(plan, None)
    lines, book, _ = await documented.of_site(
        connection, plans, site, *span, wanted.group_by, known, potentials
    )
    line = next(one for one in lines if wanted.id in one.sources)
    span = line.from_ or 0, line.to or 0
    stored = await rows(
        connection,
        _PIECES,
        {
            "sources": line.sources,
            "from": to_datetime(span[0]),
            "to": to_datetime(span[1]),
            "batch": known.batch_no,
        },
    )
    check_size(len(stored))
    told = [_row(span, *values) for values in stored]
    versions = {(values[0], values[10]) for values in stored}
    terms = [_term(plan, *one) for one in sorted(versions)]
    named = await factor_book(connection, plan, {version for _, version in versions})
    used = [
        found for term in terms for name in term.factors if (found := named.named(term.plan_version, name))
    ]
    used += [one for key, one in book.used.items() if key not in named.used]
    return Found(
        figure=_figure(line),
        method=line.method,
        arithmetic=ARITHMETIC,
        rows=told,
        sums={"mass_kg": line.value},
        parameters={"interval_us": plan.interval_us},
        terms=terms,
        factors=used,
    )  # fmt: skip


def _row(
    span: tuple[int, int],
    source: str,
    number: int,
    begin: int,
    end: int,
    count: int,
    from_at: int,
    to_at: int,
    kg_per_count: float | None,
    analyses: list[int | None],
    defaulted: list[str],
    version: int,
    revision: int,
    batch_no: int,
) -> Row:
    first, last = max(from_at, span[0]), min(to_at, span[1])
    part = Emitted(Quantity(number, begin, end, count), from_at, to_at, kg_per_count)
    values: Values = {
        "document": number,
        "document_count": count,
        "document_from_us": begin,
        "document_to_us": end,
        "count": part.count_in(*span),
        "kg_per_count": kg_per_count,
        **{f"analysis_{n}": one for n, one in enumerate(analyses)},
    }
    quality = Quality.UNCERTAIN if defaulted else Quality.GOOD
    return Row(
        source,
        first,
        last,
        values,
        quality,
        int(Reason.MANUAL),
        last - first,
        revision,
        None,
        version,
        batch_no,
    )


def _term(plan: Plan, source: str, version: int) -> TermDocument:
    then = next(one for one in plan.documented if one.id == source)
    return TermDocument(
        plan_version=version, row=source, side="mass_kg", point=None, factor_point=None, weight=None, steps=[],
        unit=then.activity, factors=list(then.factors),
    )  # fmt: skip


def _figure(line: EmissionFigure) -> FigureDocument:
    return FigureDocument(
        id=line.id, unit=line.unit, from_=line.from_ or 0, to=line.to or 0, value=line.value, count=None,
        reason=line.reason, quality=line.quality, reasons=line.reasons, valid_share=line.valid_share,
        substituted_share=line.substituted_share, revision=line.revision, plan_version=line.plan_version,
        known_at=line.known_at,
    )  # fmt: skip
