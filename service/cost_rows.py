"""What costs are reckoned from: counts of meters and masses of sources, summed in the database.

A bucket is so short that no price changes in it, and of one version of the plant file; counts are integers and a mass is
taken as the decimal it is written as, so sums of buckets are exact whatever they are grouped to later. Rows are those
that stand, or stood as of an earlier batch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.model import Quality
from ingest.plant.plan import Plan, PlanSource
from ingest.plant.plan_prices import PlanMeter
from service import past
from service.as_of import Known
from service.plans import PlanCache, SitePlan
from service.store import Connection, rows
from service.times import to_datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one meter or source told in one bucket, by one version."""

    id: str
    at: int
    """Begin, µs."""
    version: int
    amount: Decimal | None
    """Counts, or kg; None: nothing usable."""
    covered_us: int
    valid_us: int
    substituted_us: int
    quality: int
    reasons: int
    least_revision: int
    revision: int
    known_at: int


_FIGURES = """
    sum(covered_us)::bigint, sum(valid_us)::bigint, sum(substituted_us)::bigint, max(quality), bit_or(reasons),
    min(revision), max(revision), max(known_at)
"""
_COLUMNS = (
    "start_at, covered_us, valid_us, substituted_us, quality, reasons, revision, plan_version, known_at"
)
_BIN = "date_bin(%(grain)s * INTERVAL '1 microsecond', start_at, '1970-01-01T00:00Z')"


async def counts(
    connection: Connection, points: Sequence[str], span: tuple[int, int], grain_us: int, known: Known
) -> list[Bucket]:
    """The counts of points (full ids) over a span, µs."""
    chosen = """
        point_no IN (SELECT point_no FROM point WHERE id = ANY(%(ids)s)) AND start_at >= %(from)s AND start_at < %(to)s
    """
    columns = f"point_no, amount_count, {_COLUMNS}"
    query = f"""
        SELECT p.id, {_BIN}, plan_version, sum(amount_count) FILTER (WHERE quality < {int(Quality.BAD)}), {_FIGURES}
          FROM ({past.rows_of("interval", columns, chosen, known)}) i JOIN point p USING (point_no)
         GROUP BY 1, 2, 3
    """  # noqa: S608  fragments of this module
    return [Bucket(*one) for one in await rows(connection, query, _values(points, span, grain_us, known))]


async def masses(
    connection: Connection, sources: Sequence[str], span: tuple[int, int], grain_us: int, known: Known
) -> list[Bucket]:
    """The masses of sources (full ids) over a span, µs, in kg."""
    chosen = """
        source_no IN (SELECT source_no FROM source WHERE id = ANY(%(ids)s))
        AND start_at >= %(from)s AND start_at < %(to)s
    """
    columns = f"source_no, mass_kg, {_COLUMNS}"
    query = f"""
        SELECT s.id, {_BIN}, plan_version, sum(mass_kg::text::numeric), {_FIGURES}
          FROM ({past.rows_of("emission", columns, chosen, known)}) e JOIN source s USING (source_no)
         GROUP BY 1, 2, 3
    """  # noqa: S608  fragments of this module
    return [Bucket(*one) for one in await rows(connection, query, _values(sources, span, grain_us, known))]


async def _without_mass(
    connection: Connection,
    source: str,
    versions: Sequence[int],
    points: Sequence[str],
    span: tuple[int, int],
    grain_us: int,
    known: Known,
) -> set[int]:
    """The buckets (µs) in which a source was active and no mass of it is known, as it had no factor.

    `versions` are those that have it, `points` (full ids) what it is told by in them.
    """
    usable = """
        point_no IN (SELECT point_no FROM point WHERE id = ANY(%(ids)s)) AND plan_version = ANY(%(versions)s)
        AND start_at >= %(from)s AND start_at < %(to)s
        AND revision > 0 AND quality < 3 AND amount IS NOT NULL
    """
    said = """
        source_no = (SELECT source_no FROM source WHERE id = %(source)s)
        AND start_at >= %(from)s AND start_at < %(to)s
    """
    amounts = past.rows_of("interval", "start_at", usable, known)
    masses = past.rows_of("emission", "start_at", said, known)
    found = await rows(
        connection,
        f"""
        SELECT DISTINCT {_BIN} FROM ({amounts}) a
         WHERE NOT EXISTS (SELECT FROM ({masses}) m WHERE m.start_at = a.start_at)
        """,  # noqa: S608  fragments of this module
        {
            **_values(points, span, grain_us, known),
            "versions": list(versions),
            "source": source,
        },
    )
    return {at for (at,) in found}


async def lacking(
    connection: Connection,
    versions: Mapping[int, Plan],
    names: "Names",
    sources: Sequence[str],
    span: tuple[int, int],
    grain_us: int,
    known: Known,
) -> dict[str, set[int]]:
    """Per source, of those whose factor depends on time, the buckets (µs) that lack a mass."""
    found = {}
    for source_id in sources:
        having = {
            version: (plan, source)
            for version, plan in versions.items()
            if (source := names.sources(plan).get(source_id)) is not None and source.varies
        }
        if having:
            points = sorted({names.of(plan.points[source.point].id) for plan, source in having.values()})
            found[source_id] = await _without_mass(
                connection, source_id, sorted(having), points, span, grain_us, known
            )
    return found


def _values(ids: Sequence[str], span: tuple[int, int], grain_us: int, known: Known) -> dict[str, object]:
    from_at, to_at = span
    return {
        "ids": list(ids),
        "from": to_datetime(from_at),
        "to": to_datetime(to_at),
        "grain": grain_us,
        "batch": known.batch_no,
    }


async def plans_of(
    connection: Connection, plans: PlanCache, site: SitePlan, span: tuple[int, int]
) -> dict[int, Plan]:
    """The versions in force at any point of a site within a span, µs, and the newest."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT version
          FROM (SELECT version, from_at, lead(from_at) OVER (PARTITION BY point_no ORDER BY from_at, version) AS until
                  FROM plan_in_force JOIN point USING (point_no) WHERE site_no = %(site)s) v
         WHERE from_at < %(to)s AND (until IS NULL OR until > %(from)s)
        """,
        {"site": site.site_no, "from": to_datetime(span[0]), "to": to_datetime(span[1])},
    )
    return await plans.versions(connection, site, [site.plan.version, *(version for (version,) in found)])


class Names:
    """The ids of today of what had others in earlier versions."""

    def __init__(self, plan: Plan) -> None:
        self._today = {former: point.id for point in plan.points for former in point.formerly}
        self._today |= {former: source.id for source in plan.sources for former in source.formerly}

    def of(self, full_id: str) -> str:
        """The id of today; its own of what is no more."""
        return self._today.get(full_id, full_id)

    def meters(self, plan: Plan) -> dict[str, list[PlanMeter]]:
        """The meters of a version by their ids of today."""
        found: dict[str, list[PlanMeter]] = {}
        for meter in plan.prices.meters:
            found.setdefault(self.of(plan.points[meter.point].id), []).append(meter)
        return found

    def sources(self, plan: Plan) -> dict[str, PlanSource]:
        """The sources of a version whose gas is paid for, by their ids of today."""
        return {self.of(one.id): one for one in plan.sources if one.account == "gross"}


def meter_at(meters: Iterable[PlanMeter], at: int) -> PlanMeter | None:
    """Which of a point's meters holds at an instant, µs."""
    return next((meter for meter in meters if meter.from_at <= at < meter.to_at), None)
