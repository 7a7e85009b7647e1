"""Sealed periods: what was frozen, and what the same comes to now.

Ingest wrote the totals of a period's points, KPIs and sources when it was sealed, and
a new total by every batch that changed one since. The first is what was sealed, the
last of the newest edition is current; here they are only told, in the units of the plan in
force.
"""

from typing import Any, Literal, get_args

from pydantic import Field

from ingest.methods.figures import KpiKind, NoFigure, combine
from ingest.model import HOUR, Cause, Quality
from ingest.plant.plan import Plan
from service import cursors
from service.documents import Document, Instant, columns_of
from service.figures import QUALITY_NAMES, QualityName, finite, reason_names, share
from service.plans import SitePlan
from service.store import Connection, Row, row, rows
from service.tabular import Table

Basis = Literal["sealed", "current"]
Subject = Literal["point", "kpi", "source", "regime"]
NUMBER = range(1, 2**61)
"""What may be a period's number."""


class PeriodDocument(Document):
    """One sealed period."""

    period: int = Field(description="Its number")
    site: str
    kind: str = Field(description="What it is to those who sealed it: month, year, …")
    from_: Instant = Field(alias="from")
    to: Instant
    edition: int = Field(description="1, and one more each time it was sealed again")
    sealed_by: str = Field(description="Name of the key that asked for it")
    sealed_at: Instant = Field(description="When it was asked for")
    known_at: Instant = Field(description="When it was frozen")
    batch_no: int = Field(description="The commit that froze it")
    reason: str | None = Field(description="Why it was sealed again; null: it is the first edition")
    superseded_by: int | None = Field(description="The number of its next edition; null: it is the newest")
    adjustments: int = Field(
        description="Commits that have changed something of it since, up to its next edition"
    )


class TotalDocument(Document):
    """What one point, KPI or source comes to in the period."""

    value: float | None = Field(
        description="Amount, or mean of a sample; figure of a KPI; kg of a source; kg of its hours by its regime, an"
        " account of its own in no other sum. Never rounded"
    )
    reason: str | None = Field(description="Why value is null")
    amount_count: int | None = Field(description="The exact amount of a counter or delta in its resolution")
    mean: float | None
    min: float | None
    max: float | None
    a: float | None = Field(description="A KPI's first sum")
    b: float | None = Field(description="A KPI's second sum")
    quality: QualityName
    reasons: list[str]
    covered_share: float
    valid_share: float
    substituted_share: float
    rule: str | None = Field(description="The regime that made a source's hours; null: no figure of a regime")
    hours: int | None = Field(description="Of a regime: hours that begin in the period")
    provisional_hours: int | None = Field(
        description="Of these, those that will be told anew when a gap ends or the regime's own period closes"
    )
    cause: str = Field(description="Why it was said: closing when it was sealed")
    known_at: Instant
    batch_no: int


class FigureDocument(Document):
    """A point, KPI or source of the period, or a source's hours by its regime: frozen, and now."""

    subject: Subject
    id: str
    unit: str | None = Field(description="null: the plan in force has it no more")
    sealed: TotalDocument | None = Field(description="As frozen; null: there was nothing, or not asked for")
    current: TotalDocument | None = Field(
        description="As it is now, also of an earlier edition; null: there is nothing, or not asked for"
    )


class PeriodFigures(PeriodDocument):
    """A sealed period and its figures."""

    figures: list[FigureDocument]


_PERIODS = """
    SELECT s.seal_no, t.id, s.kind, s.from_at, s.to_at, s.edition, s.sealed_by, s.sealed_at, s.known_at, s.batch_no,
           s.reason,
           (SELECT n.seal_no FROM period_seal n
             WHERE n.site_no = s.site_no AND n.from_at = s.from_at AND n.edition = s.edition + 1),
           (SELECT count(*) FROM (
                SELECT batch_no FROM period_point WHERE seal_no = s.seal_no
                 UNION SELECT batch_no FROM period_kpi WHERE seal_no = s.seal_no
                 UNION SELECT batch_no FROM period_source WHERE seal_no = s.seal_no
                 UNION SELECT batch_no FROM period_regime WHERE seal_no = s.seal_no) b
             WHERE b.batch_no > s.batch_no)
      FROM period_seal s JOIN site t USING (site_no)
"""


async def page(connection: Connection, sites: list[SitePlan], limit: int, cursor: str | None) -> Table:
    """Sealed periods of some sites, the newest first."""
    before = NUMBER.stop if cursor is None else cursors.decode(cursor, (NUMBER,))[0]
    found = await rows(
        connection,
        f"{_PERIODS} WHERE s.site_no = ANY(%s) AND s.seal_no < %s ORDER BY s.seal_no DESC LIMIT %s",
        [[site.site_no for site in sites], before, limit + 1],
    )
    told = [_period(values).model_dump(by_alias=True) for values in found[:limit]]
    following = cursors.encode([found[limit - 1][0]]) if len(found) > limit else None
    return Table(columns_of(PeriodDocument), [list(one.values()) for one in told], following)


async def one(connection: Connection, number: int) -> PeriodDocument | None:
    """The period of a number, None if there is none."""
    found = await row(connection, f"{_PERIODS} WHERE s.seal_no = %s", [number])
    return None if found is None else _period(found)


def _period(values: Row) -> PeriodDocument:
    return PeriodDocument(**dict(zip(PeriodDocument.model_fields, values, strict=True)))


SUBJECTS: tuple[Subject, ...] = get_args(Subject)
TOTAL = (
    "figure", "amount_count", "mean", "min", "max", "a", "b", "covered_us", "valid_us", "substituted_us", "quality",
    "reasons", "why", "rule", "hours", "provisional", "cause", "known_at", "batch_no",
)  # fmt: skip
"""The columns of a total, the same of every subject."""
_COMMON = ("covered_us", "valid_us", "substituted_us", "quality", "reasons", "cause", "known_at", "batch_no")
_OWN: dict[Subject, dict[str, str]] = {
    "point": {"figure": "amount", **{name: name for name in TOTAL[1:5]}},
    "kpi": {"figure": "a", "a": "a", "b": "b"},
    "source": {"figure": "mass_kg"},
    "regime": {"figure": "mass_kg", "rule": "rule", "hours": "hours", "provisional": "provisional"},
}


def of(subject: Subject) -> str:
    """The table a subject's numbers are of: a regime's hours are those of a source."""
    return "source" if subject == "regime" else subject


def total_columns(subject: Subject, table: str, prefix: str = "") -> str:
    """`TOTAL` as a query names it, from a row `table` of the subject's totals."""
    told = {name: f"{table}.{name}" for name in _COMMON}
    if subject == "source":
        told["why"] = _why(table)
    elif subject == "regime":
        told |= _of_hours(table)
    told |= {name: f"{table}.{column}" for name, column in _OWN[subject].items()}
    return ", ".join(
        f"{told.get(name, _NOTHING.get(name, 'NULL::float8'))} AS {prefix}{name}" for name in TOTAL
    )


_NOTHING = {
    "amount_count": "NULL::bigint", "why": "NULL::text", "rule": "NULL::text", "hours": "NULL::bigint",
    "provisional": "NULL::bigint",
}  # fmt: skip


def _of_hours(table: str) -> dict[str, str]:
    """Time told, measured and substituted of a row that counts hours."""
    measured = f"({table}.hours - {table}.without_mass - {table}.substituted)"
    return {
        "covered_us": f"({table}.hours * {HOUR})",
        "valid_us": f"({measured} * {HOUR})",
        "substituted_us": f"({table}.substituted * {HOUR})",
        "reasons": "0",
    }


def _why(table: str) -> str:
    """Why a source has no mass though something was told of it (a `NoFigure`): by its pieces of then, if it has any."""
    return f"""
        CASE WHEN {table}.mass_kg IS NULL AND {table}.quality = {int(Quality.BAD)} THEN (
            SELECT CASE WHEN count(*) = 0 THEN '{NoFigure.NO_FACTOR}'
                        WHEN bool_or(kg_per_count IS NULL
                                     AND cardinality(defaulted) < cardinality(array_positions(analyses, NULL)))
                        THEN '{NoFigure.NO_ANALYSIS}'
                        WHEN bool_or(kg_per_count IS NULL) THEN '{NoFigure.NO_FACTOR}'
                        ELSE '{NoFigure.NO_DATA}' END
              FROM document_piece d JOIN period_seal w ON d.from_at < w.to_at AND d.to_at > w.from_at
             WHERE w.seal_no = {table}.seal_no AND d.source_no = {table}.source_no AND d.batch_no <= {table}.batch_no
               AND (d.superseded_batch IS NULL OR d.superseded_batch > {table}.batch_no)) END
    """  # noqa: S608  fragments of this module


async def figures(
    connection: Connection, plan: Plan, period: PeriodDocument, basis: Basis | None
) -> list[FigureDocument]:
    """What everything in a period came to when it was sealed, and comes to now."""
    made = []
    for subject in SUBJECTS:
        columns, key = total_columns(subject, "p"), of(subject)
        found = await rows(
            connection,
            f"""
            SELECT o.id, t.* FROM (
                SELECT {key}_no AS number, true AS frozen, {columns}
                  FROM period_{subject} p WHERE seal_no = %(seal)s AND batch_no = %(batch)s
                UNION ALL
                (SELECT DISTINCT ON ({key}_no) {key}_no, false, {columns}
                   FROM period_{subject} p
                  WHERE seal_no = (SELECT n.seal_no FROM period_seal n JOIN period_seal s USING (site_no, from_at)
                                    WHERE s.seal_no = %(seal)s ORDER BY n.edition DESC LIMIT 1)
                  ORDER BY {key}_no, p.batch_no DESC)
                ) t JOIN {key} o ON o.{key}_no = t.number
             ORDER BY o.{key}_no
            """,  # noqa: S608  fragments of this module
            {"seal": period.period, "batch": period.batch_no},
        )
        of_ids: dict[str, dict[bool, TotalDocument]] = {}
        span_us = period.to - period.from_
        for name, _, frozen, *values in found:
            of_ids.setdefault(name, {})[frozen] = total(plan, subject, name, values, span_us)
        made += [
            FigureDocument(
                subject=subject,
                id=name,
                unit=unit_of(plan, subject, name),
                sealed=said.get(True) if basis != "current" else None,
                current=said.get(False) if basis != "sealed" else None,
            )
            for name, said in of_ids.items()
        ]
    return made


def total(plan: Plan, subject: Subject, name: str, values: list[Any], span_us: int) -> TotalDocument:
    """A row of totals of one id as it is told."""
    figure, count, mean, least, largest, a, b, covered, valid, substituted, quality, reasons, *said = values
    told_why, rule, hours, provisional, cause, known_at, batch_no = said
    value, why = _value(plan, subject, name, (figure, count, mean, a, b), covered or 0)
    if told_why is not None:
        value, why = None, NoFigure(told_why)
    return TotalDocument(
        value=value,
        reason=why,
        amount_count=count,
        mean=mean,
        min=least,
        max=largest,
        a=a,
        b=b,
        quality=QUALITY_NAMES[Quality.BAD if quality is None else quality],
        reasons=reason_names(reasons or 0),
        covered_share=share(covered or 0, span_us),
        valid_share=share(valid or 0, span_us),
        substituted_share=share(substituted or 0, span_us),
        rule=rule,
        hours=hours,
        provisional_hours=provisional,
        cause=Cause(cause).name.lower(),
        known_at=known_at,
        batch_no=batch_no,
    )


def _value(
    plan: Plan, subject: Subject, name: str, sums: tuple[Any, ...], covered_us: int
) -> tuple[float | None, NoFigure | None]:
    figure, count, mean, a, b = sums
    if not covered_us:
        return None, NoFigure.GAP
    if subject == "kpi":
        kpi = next((kpi for kpi in plan.kpis if kpi.id == name), None)
        # The peak of a load factor is in its blocks, not in its sums.
        if kpi is None or kpi.kind is KpiKind.LOAD_FACTOR or a is None or b is None:
            return None, NoFigure.NO_DATA
        return finite(*combine(kpi.kind, a, b, covered_us))
    if subject == "point":
        place = plan.index.get(name)
        if count is not None and place is not None:
            figure = count * plan.points[place].resolution
        figure = mean if figure is None else figure
    return finite(figure, None if figure is not None else NoFigure.NO_DATA)


def unit_of(plan: Plan, subject: Subject, name: str) -> str | None:
    """The unit of an id's value; None: the plan has it no more."""
    if of(subject) == "source":
        return "kg"
    if subject == "kpi":
        return next((kpi.unit for kpi in plan.kpis if kpi.id == name), None)
    place = plan.index.get(name)
    return None if place is None else plan.points[place].amount_unit or plan.points[place].unit
