"""A KPI over a span of closed intervals: figure, sums, rows, terms."""

from ingest.methods.figures import KpiKind, NoFigure
from ingest.plant.plan import PlanKpi
from service import past, series
from service.as_of import Known
from service.explain_terms import Versions, factors_of, kpi_terms, points_of
from service.explaining import FigureDocument, Found, Row, Values, Wanted, check_size, not_explained
from service.factor_book import factor_book
from service.figures import QUALITY_NAMES, reason_names, share
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection, rows
from service.times import format_instant, to_datetime
from service.windows import COLUMNS, KpiRows, WindowFigure, block_rates, window_figure

FORMULAS = {
    KpiKind.RATIO: "value = a / b; without b > 0 there is none",
    KpiKind.RATE: "value = a / b, b the covered hours",
    KpiKind.DEMAND: "value = a / b, b the covered hours",
    KpiKind.TOTAL: "value = a",
    KpiKind.POWER_FACTOR: "value = a / hypot(a, b)",
    KpiKind.LOAD_FACTOR: "value = mean / largest: mean = a / b; largest = the greatest of max(0, a / b) of the blocks"
    " that lie in the span whole, a and b those of a block's rows",
}
ARITHMETIC = [
    "a, b: the sum of `values.a` (b) of all rows, exact and rounded once to the nearest float64, ties to even",
    (
        "row.a (b): from 0.0 on, in the order of `terms` of the row's plan version, add term.weight · amount, each product"
        " and sum a float64; where a term has steps the weight is that of the last step at or before the row's begin"
    ),
    "row.b of kinds rate, demand, total and load_factor: row.covered_us / 3 600 000 000",
    "blocks of a load factor begin where (t + phase_us) mod block_us = 0, t in µs since 1970",
]


async def explain(
    connection: Connection, plans: PlanCache, site: SitePlan, wanted: Wanted, known: Known
) -> Found:
    """The figure of [from, to) that `/v1/kpis/{id}/series` tells with window = to - from."""
    kpi = next((one for one in site.plan.kpis if one.id == wanted.id), None)
    if kpi is None:
        raise ProblemError("unknown-kpi", f"There is no KPI {wanted.id!r}.")
    await _check(connection, site, kpi, wanted, known)
    query = past.rows_of("kpi_value", f"{COLUMNS}, cause, batch_no", _CHOSEN, known)
    found = await rows(
        connection,
        f"{query} ORDER BY start_at",
        {
            "kpi": kpi.id, "from": to_datetime(wanted.from_at), "to": to_datetime(wanted.to_at),
            "batch": known.batch_no,
        },
    )  # fmt: skip
    columns = KpiRows()
    if found:
        columns.extend([one[:-2] for one in found])
    blocks = None
    if kpi.kind is KpiKind.LOAD_FACTOR:
        assert kpi.block_us is not None
        blocks = block_rates(columns, kpi.block_us, kpi.phase_us)
    figure = window_figure(columns, kpi.kind, blocks, wanted.from_at, wanted.to_at)
    if figure.reason is NoFigure.GAP:
        await _check_begun(connection, site, kpi, wanted, known)
    versions = await Versions.of(connection, plans, site, columns.plan_version)
    terms = kpi_terms(versions, kpi)
    flat = [one for mine in terms.values() for one in mine]
    book = await factor_book(connection, site.plan, terms)
    points = {version: points_of(mine) for version, mine in terms.items()}
    length = site.plan.interval_us
    return Found(
        figure=_figure(kpi, figure),
        method=kpi.kind,
        arithmetic=[FORMULAS[kpi.kind], *ARITHMETIC],
        rows=[
            Row(kpi.id, start, start + length, {"a": a, "b": b}, quality, reasons, covered, revision, cause, version,
                batch, points[version])
            for start, a, b, covered, _, _, quality, reasons, revision, version, _, cause, batch in found
        ],
        sums=_sums(kpi, figure),
        parameters={"interval_us": length, "block_us": kpi.block_us, "phase_us": kpi.phase_us,
                    "covered_us": figure.covered_us},
        terms=flat,
        factors=factors_of(book, flat),
        points=list(points_of(flat)) or [site.plan.points[place].id for place in kpi.points],
        own=("kpi_value", "kpi"),
    )  # fmt: skip


_CHOSEN = (
    "kpi_no = (SELECT kpi_no FROM kpi WHERE id = %(kpi)s) AND start_at >= %(from)s AND start_at < %(to)s"
)


async def _check(connection: Connection, site: SitePlan, kpi: PlanKpi, wanted: Wanted, known: Known) -> None:
    """Refuse a span that is no window of the KPI, or not closed."""
    length = site.plan.interval_us
    for name, at in (("from", wanted.from_at), ("to", wanted.to_at)):
        if at % length:
            raise invalid("Query parameter", name, format_instant(at), "an edge of the site's intervals")
    check_size((wanted.to_at - wanted.from_at) // length)
    span_us = wanted.to_at - wanted.from_at
    ask = series.checked(site.plan, kpi, wanted.from_at, wanted.to_at, span_us, span_us)
    if ask.from_at != wanted.from_at:
        raise invalid(
            "Query parameter", "from", format_instant(wanted.from_at), "the begin of a block of the demand"
        )
    _, until = await series.closed_span(connection, site.plan, kpi, known)
    if until is None or until < wanted.to_at:
        end = "nothing of it is closed" if until is None else f"it is closed up to {format_instant(until)}"
        raise not_explained(f"The KPI {kpi.id} is not closed up to {format_instant(wanted.to_at)}: {end}.")


async def _check_begun(
    connection: Connection, site: SitePlan, kpi: PlanKpi, wanted: Wanted, known: Known
) -> None:
    first_at, _ = await series.closed_span(connection, site.plan, kpi, known)
    if first_at is None or wanted.to_at <= first_at:
        raise not_explained(f"The KPI {kpi.id} begins after {format_instant(wanted.to_at)}.")


def _sums(kpi: PlanKpi, figure: WindowFigure) -> Values:
    if kpi.kind is KpiKind.LOAD_FACTOR:
        return {"mean": figure.a, "largest": figure.b}
    return {"a": figure.a, "b": figure.b}


def _figure(kpi: PlanKpi, figure: WindowFigure) -> FigureDocument:
    span = figure.to_at - figure.from_at
    return FigureDocument(
        id=kpi.id,
        unit=kpi.unit,
        from_=figure.from_at,
        to=figure.to_at,
        value=figure.value,
        count=None,
        reason=figure.reason,
        quality=QUALITY_NAMES[figure.quality],
        reasons=reason_names(figure.reasons),
        valid_share=share(figure.valid_us, span),
        substituted_share=share(figure.substituted_us, span),
        revision=figure.revision,
        plan_version=figure.plan_version,
        known_at=figure.known_at,
    )
