"""How far the emissions of sources are closed, and whether some of their activity has no mass."""

from ingest.plant.plan import Plan, PlanSource
from service import past
from service.as_of import Known
from service.frontiers import closed_until
from service.store import Connection, rows
from service.times import to_datetime


async def closed_ends(connection: Connection, plan: Plan, known: Known) -> dict[str, tuple[int, int]]:
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


async def lacks_factor(
    connection: Connection, plan: Plan, source: PlanSource, number: int, span: tuple[int, int], known: Known
) -> bool:
    """Whether the activity of a source (`number` in the store) has an amount in a span, µs, of which no mass is known."""
    usable = """
        point_no = (SELECT point_no FROM point WHERE id = %(id)s) AND start_at >= %(from)s AND start_at < %(to)s
        AND revision > 0 AND quality < 3 AND amount IS NOT NULL
    """
    said = "source_no = %(source)s AND start_at >= %(from)s AND start_at < %(to)s"
    amounts = past.rows_of("interval", "start_at", usable, known)
    masses = past.rows_of("emission", "start_at", said, known)
    found = await rows(
        connection,
        f"SELECT 1 FROM ({amounts}) a WHERE NOT EXISTS (SELECT FROM ({masses}) m WHERE m.start_at = a.start_at) LIMIT 1",  # noqa: S608
        {
            "id": plan.points[source.point].id,
            "source": number,
            "from": to_datetime(span[0]),
            "to": to_datetime(span[1]),
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
