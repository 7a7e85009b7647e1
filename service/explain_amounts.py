"""The amount of a point in an interval, hour or day, as `/v1/points/{id}/intervals` tells it."""

from ingest.model import Kind
from ingest.plant.plan import Plan, PlanPoint
from service import intervals, past
from service.as_of import Known
from service.explaining import FigureDocument, Found, Row, Wanted, not_explained
from service.intervals import IntervalDocument
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection, rows
from service.times import format_instant, to_datetime

ARITHMETIC = [
    "value = count · resolution of a counter or delta, of others the amount",
    "count: Σ `values.amount_count` of all rows, in int64; null where a row has none",
    (
        "amount of an hour: the rows' `values.amount` added one after the other in the order of time, each sum a float64;"
        " of a day the amounts of its hours (`group`) added so"
    ),
    "a row is folded from the readings near it by the kernels named here; `at` shows them",
]
_COLUMNS = (
    "start_at, amount, amount_count, mean, quality, reasons, covered_us, valid_us, substituted_us, revision, cause,"
    " plan_version, batch_no"
)
_CHOSEN = """
    point_no = (SELECT point_no FROM point WHERE id = %(point)s) AND start_at >= %(from)s AND start_at < %(to)s
"""


async def explain(
    connection: Connection, _plans: PlanCache, site: SitePlan, wanted: Wanted, known: Known
) -> Found:
    """The amount of [from, to), which is an interval, hour or day of the point."""
    plan = site.plan
    if wanted.id not in plan.index:
        raise ProblemError("unknown-point", f"There is no point {wanted.id!r}.")
    point = plan.points[plan.index[wanted.id]]
    if point.kind is Kind.SAMPLE:
        raise not_explained(f"The point {point.id} is a sample and has no amounts.")
    figure = await _told(connection, plan, point, wanted, known)
    found = await _rows(connection, plan, point, wanted, known)
    return Found(
        figure=FigureDocument(
            id=point.id, unit=point.amount_unit, from_=figure.from_, to=figure.to, value=figure.amount,
            count=figure.amount_count, reason=figure.reason, quality=figure.quality, reasons=figure.reasons,
            valid_share=figure.valid_share, substituted_share=figure.substituted_share, revision=figure.revision,
            plan_version=figure.plan_version or max((one.plan_version for one in found), default=None),
            known_at=figure.known_at,
        ),
        method=f"{point.kind.name.lower()} {wanted.step}",
        arithmetic=ARITHMETIC,
        rows=found,
        sums={"count": figure.amount_count, "amount": figure.amount},
        parameters={"interval_us": plan.interval_us, "resolution": point.resolution},
        points=[point.id],
        own=None,
    )  # fmt: skip


async def _told(
    connection: Connection, plan: Plan, point: PlanPoint, wanted: Wanted, known: Known
) -> IntervalDocument:
    """The interval, hour or day as it is told.

    Raises:
        ProblemError: the span is none.
    """
    page = await intervals.page(
        connection, plan, point, wanted.step, wanted.from_at, wanted.to_at, 2, None, known
    )
    told = [IntervalDocument.model_validate(dict(zip(page.columns, one, strict=True))) for one in page.rows]
    if [(one.from_, one.to) for one in told] != [(wanted.from_at, wanted.to_at)]:
        span = f"{format_instant(wanted.from_at)} to {format_instant(wanted.to_at)}"
        raise invalid(
            "Query parameter", "from", span, f"one {wanted.step} of the point, as its intervals tell it"
        )
    return told[0]


async def _rows(
    connection: Connection, plan: Plan, point: PlanPoint, wanted: Wanted, known: Known
) -> list[Row]:
    """Its intervals: of hours and days the closed ones, for a provisional one is told as it stands only by itself."""
    chosen = _CHOSEN if wanted.step == "interval" else f"{_CHOSEN} AND revision > 0"
    query = past.rows_of("interval", _COLUMNS, chosen, known)
    stored = await rows(
        connection,
        f"SELECT i.*, date_trunc('hour', start_at, %(zone)s) FROM ({query}) i ORDER BY start_at",  # noqa: S608
        {
            "point": point.id, "from": to_datetime(wanted.from_at), "to": to_datetime(wanted.to_at),
            "batch": known.batch_no, "zone": plan.zone.key,
        },
    )  # fmt: skip
    made = []
    for start, amount, count, mean, quality, reasons, covered, valid, substituted, *trust, hour in stored:
        revision, cause, version, batch = trust
        values = {
            "amount": amount, "amount_count": count, "mean": mean, "valid_us": valid, "substituted_us": substituted,
        }  # fmt: skip
        made.append(
            Row(point.id, start, start + plan.interval_us, values, quality, reasons, covered, revision, cause, version,
                batch, (point.id,), hour)
        )  # fmt: skip
    return made
