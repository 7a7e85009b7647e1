"""What stands below the rows of an explanation: stored intervals, what was said before, batches, readings.

Everything is read as it is stored, of now or as of an earlier batch; nothing is computed.
"""

from collections.abc import Sequence

from ingest.model import Cause, Kind
from ingest.plant.plan import Plan
from service import gap_pages, gaps, past, readings, winners
from service.as_of import Known
from service.explaining import (
    BatchUsed,
    ChangeDocument,
    InputDocument,
    PlanVersionUsed,
    PointUsed,
    ReadingUsed,
    Row,
    RowDocument,
)
from service.factor_book import FactorBook
from service.figures import QUALITY_NAMES, reason_names
from service.gap_pages import GapDocument
from service.gaps import sources_of
from service.problems import ProblemError
from service.store import Connection, row, rows
from service.tabular import instant_text
from service.times import to_datetime

MOST_READINGS = 20_000
"""Readings told around one row."""
ANCHORED = 3
"""Kept readings of a counter beyond its reach that are told too."""
_INPUT = (
    "point_no, start_at, amount, amount_count, mean, quality, reasons, covered_us, valid_us, substituted_us,"
    " revision, cause, plan_version, batch_no"
)
Inputs = dict[tuple[str, int], InputDocument]


def cause_name(cause: int | None) -> str | None:
    """A cause as the API writes it."""
    return None if cause is None else Cause(cause).name.lower()


async def inputs_of(connection: Connection, found: Sequence[Row], known: Known) -> Inputs:
    """The intervals of the points of some rows, by point and begin."""
    points = sorted({point for one in found for point in one.points})
    if not points:
        return {}
    span = "start_at >= %(from)s AND start_at < %(to)s"
    where = f"point_no IN (SELECT point_no FROM point WHERE id = ANY(%(points)s)) AND {span}"  # noqa: S608  as below
    query = f"SELECT p.id, i.* FROM ({past.rows_of('interval', _INPUT, where, known)}) i JOIN point p USING (point_no)"  # noqa: S608  fragments of this module
    asked = {"points": points, **_span(found), **past.asked(known)}
    told = {}
    for name, _, start_at, amount, count, mean, quality, reasons, *trust in await rows(
        connection, query, asked
    ):
        covered, valid, substituted, revision, cause, version, batch = trust
        told[name, start_at] = InputDocument(
            point=name,
            values={"amount": amount, "amount_count": count, "mean": mean},
            quality=QUALITY_NAMES[quality],
            reasons=reason_names(reasons),
            covered_us=covered,
            valid_us=valid,
            substituted_us=substituted,
            revision=revision,
            cause=cause_name(cause),
            plan_version=version,
            batch_no=batch,
        )
    return told


def told(found: Row, inputs: Inputs) -> RowDocument:
    """A row with its inputs."""
    stored = (inputs.get((point, found.from_at)) for point in found.points)
    return RowDocument(
        of=found.of,
        from_=found.from_at,
        to=found.to_at,
        values=found.values,
        group=found.group,
        quality=QUALITY_NAMES[found.quality],
        reasons=reason_names(found.reasons),
        covered_us=found.covered_us,
        revision=found.revision,
        cause=cause_name(found.cause),
        plan_version=found.plan_version,
        batch_no=found.batch_no,
        inputs=[one for one in stored if one is not None],
    )


async def changes(
    connection: Connection, found: Sequence[Row], own: tuple[str, str] | None, known: Known
) -> list[ChangeDocument]:
    """What batches superseded of rows and their inputs, oldest batch first."""
    asked = [("interval", "point", sorted({point for one in found for point in one.points}))]
    if own is not None:
        asked.append((*own, sorted({one.of for one in found})))
    made = []
    for table, owner, ids in asked:
        if not ids or not found:
            continue
        query = f"""
            SELECT o.id, min(h.start_at), max(h.start_at), count(*), h.superseded_batch, n.cause, max(n.known_at)
              FROM {table}_history h JOIN {owner} o USING ({owner}_no)
              LEFT JOIN LATERAL (
                   SELECT cause, known_at FROM {table} t WHERE t.{owner}_no = h.{owner}_no AND t.start_at = h.start_at
                      AND t.batch_no = h.superseded_batch
                   UNION ALL
                   SELECT cause, known_at FROM {table}_history t WHERE t.{owner}_no = h.{owner}_no
                      AND t.start_at = h.start_at AND t.batch_no = h.superseded_batch LIMIT 1) n ON true
             WHERE o.id = ANY(%(ids)s) AND h.start_at >= %(from)s AND h.start_at < %(to)s
               AND (NOT %(past)s OR h.superseded_batch <= %(batch)s)
             GROUP BY o.id, h.superseded_batch, n.cause ORDER BY h.superseded_batch, o.id
        """  # noqa: S608  names of this package's modules
        values = {"ids": ids, **_span(found), **past.asked(known)}
        made += [
            ChangeDocument(
                of=name,
                from_=first,
                to=last,
                rows=count,
                batch_no=batch,
                cause=cause_name(cause),
                known_at=at,
            )
            for name, first, last, count, batch, cause, at in await rows(connection, query, values)
        ]
    return made


async def batches(connection: Connection, site_no: int, numbers: set[int]) -> list[BatchUsed]:
    """When batches became known, and what is stated of them."""
    found = await rows(
        connection,
        """
        SELECT b, coalesce(l.known_at, c.known_at), l.leaf, h.hour_at, h.root
          FROM unnest(%(numbers)s::bigint[]) b
          LEFT JOIN ingest_commit c ON c.site_no = %(site)s AND c.batch_no = b
          LEFT JOIN evidence_leaf l ON l.site_no = %(site)s AND l.batch_no = b
          LEFT JOIN evidence_hour h ON h.site_no = %(site)s AND b BETWEEN h.first_batch AND h.last_batch
           AND h.hour_at = date_trunc('hour', coalesce(l.known_at, c.known_at), 'UTC')
         ORDER BY b
        """,
        {"numbers": sorted(numbers), "site": site_no},
    )
    return [
        BatchUsed(
            batch_no=number,
            known_at=at,
            leaf=None if leaf is None else leaf.hex(),
            hour=hour,
            root=None if root is None else root.hex(),
        )
        for number, at, leaf, hour, root in found
    ]


async def plan_versions(connection: Connection, site_no: int, numbers: set[int]) -> list[PlanVersionUsed]:
    """The versions of the plant file that rows and inputs name."""
    found = await rows(
        connection,
        """
        SELECT version, effective_at, digest FROM plan_version WHERE site_no = %s AND version = ANY(%s) ORDER BY 1
        """,
        [site_no, sorted(numbers)],
    )
    return [PlanVersionUsed(version=one, effective_at=at, digest=digest) for one, at, digest in found]


def points_used(
    plan: Plan, ids: Sequence[str], book: FactorBook, from_at: int, to_at: int
) -> list[PointUsed]:
    """What the inputs are in the plan in force."""
    programs = {
        f"{plan.site}/{one['id']}": one.get("computed")
        for one in book.versions.get(plan.version, {}).get("points", ())
    }
    span = f"from={instant_text(from_at)}&to={instant_text(to_at)}"
    made = []
    for name in ids:
        if name not in plan.index:
            continue
        place = plan.index[name]
        point, measured = plan.points[place], [plan.points[i].id for i in sources_of(plan, place)]
        made.append(
            PointUsed(
                id=name,
                kind=point.kind.name.lower(),
                unit=point.unit,
                amount_unit=point.amount_unit,
                resolution=point.resolution,
                computed=programs.get(name),
                measured=measured,
                intervals=f"/v1/points/{name}/intervals?{span}",
                readings=[f"/v1/points/{one}/readings?{span}" for one in measured],
            )
        )
    return made


async def gaps_of(
    connection: Connection, plan: Plan, ids: Sequence[str], found: Sequence[Row], known: Known
) -> list[GapDocument]:
    """The gaps of inputs in the span of some rows, and how they were filled."""
    places = sorted({plan.index[name] for name in ids if name in plan.index})
    if not found or not places:
        return []
    span = min(one.from_at for one in found), max(one.to_at for one in found)
    missing = await gaps.find(connection, plan, places, *span, known)
    page = await gap_pages.page(connection, [(plan, gap) for gap in missing], {plan.site: known})
    return [GapDocument.model_validate(dict(zip(page.columns, one, strict=True))) for one in page.rows]


async def readings_of(connection: Connection, plan: Plan, part: Row, known: Known) -> list[ReadingUsed]:
    """The readings a row's inputs are folded from: those in it and as far around it as the fold looks.

    Raises:
        ProblemError: they are too many.
    """
    places = sorted({plan.index[name] for name in part.points if name in plan.index})
    made: list[ReadingUsed] = []
    for place in sorted({one for point in places for one in sources_of(plan, point)}):
        point = plan.points[place]
        begin, end = await _around(connection, plan, place, (part.from_at, part.to_at), known)
        page = await readings.page(connection, point, begin, end, MOST_READINGS + 1, None, known)
        if len(page.rows) > MOST_READINGS:
            raise ProblemError(
                "too-much-asked",
                f"Around the row there are more than {MOST_READINGS} readings of {point.id}: expected at most so many;"
                " read them by their address.",
            )
        items = [dict(zip(page.columns, one, strict=True)) for one in page.rows]
        last = {one["measured_at"]: n for n, one in enumerate(items)}
        made += [
            ReadingUsed.model_validate({"point": point.id, **one, "counts": last[one["measured_at"]] == n})
            for n, one in enumerate(items)
        ]
    return made


async def _around(
    connection: Connection, plan: Plan, place: int, span: tuple[int, int], known: Known
) -> tuple[int, int]:
    """The span of the readings that a fold of `span` looks at, µs, or more."""
    reach = 2 * max(int(plan.params[name][place]) for name in ("max_gap_us", "period_us", "lookback_us"))
    begin, end = span[0] - reach, span[1] + reach
    point = plan.points[place]
    if point.kind is Kind.COUNTER:
        found = await row(connection, "SELECT point_no FROM point WHERE id = %s", [point.id])
        number = 0 if found is None else int(found[0])
        # A register is counted from an anchor, and a step is judged by the readings after it.
        for _ in range(ANCHORED):
            before = await winners.kept_before(connection, number, begin, known)
            begin = begin if before is None else before
        for _ in range(ANCHORED):
            after = await winners.kept_from(connection, number, end, known)
            end = end if after is None else after + 1
    return max(0, begin), end


def _span(found: Sequence[Row]) -> dict[str, object]:
    return {
        "from": to_datetime(min(one.from_at for one in found)),
        "to": to_datetime(max(one.to_at for one in found)),
    }
