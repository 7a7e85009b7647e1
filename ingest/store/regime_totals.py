"""What the hours of a source come to in a sealed period, by its regime.

An account beside the sums of `totals`, in none of them. The hours are those that begin in
the period, summed with one rounding; where one has no mass the sum has none. While a
regime's own period is open (the MRR's year), time alone moves the provisional hours of
sealed periods: of that the newest total stands, in place of the one before, so it is no
adjustment an hour; any other cause adds a total.
"""

from psycopg import AsyncCursor

from ingest.model import Cause
from ingest.store.facts import Stamp
from ingest.store.totals import Keys, Seal, correctly_rounded, said


async def write_regimes(
    cursor: AsyncCursor, seal: Seal, stamp: Stamp, keys: Keys, rules: dict[int, str]
) -> None:
    """Say what sources come to whose hours have changed; `rules`: number of a source → its regime."""
    for number, cause in keys:
        values = {**said(seal, stamp), "key": number, "cause": cause, "rule": rules.get(number)}
        await cursor.execute(_TAKE_BACK, {**values, "closing": int(Cause.CLOSING)})
        await cursor.execute(_READ, values, binary=True)
        found = await cursor.fetchone() or (None,) * len(_COLUMNS)
        mass_kg, hours, without, *others = found
        figures = (None if without or not hours else correctly_rounded(mass_kg), hours, without, *others)
        if not hours:
            values["rule"] = None
        await cursor.execute(_WRITE, {**values, **dict(zip(_COLUMNS, figures, strict=True))})


_COLUMNS = ("mass_kg", "hours", "without_mass", "substituted", "provisional", "quality")
_TAKE_BACK = b"""
    DELETE FROM period_regime p USING period_seal s
     WHERE s.seal_no = p.seal_no AND p.seal_no = %(seal)s AND p.source_no = %(key)s
       AND (p.batch_no = %(batch)s
            OR (%(cause)s = %(closing)s AND p.cause = %(closing)s AND p.batch_no > s.batch_no
                AND p.batch_no = (SELECT max(l.batch_no) FROM period_regime l
                                   WHERE l.seal_no = p.seal_no AND l.source_no = p.source_no
                                     AND l.batch_no < %(batch)s)))
"""
"""What the batch under way has said before, and what goes on."""
_READ = b"""
    SELECT string_agg(float8send(mass_kg), ''::bytea), count(*)::bigint,
           (count(*) FILTER (WHERE mass_kg IS NULL))::bigint, (count(*) FILTER (WHERE quality = 2))::bigint,
           (count(*) FILTER (WHERE provisional))::bigint, max(quality)
      FROM regime_hour
     WHERE source_no = %(key)s AND start_at >= to_timestamp(0) + %(from)s * interval '1 microsecond'
       AND start_at < to_timestamp(0) + %(to)s * interval '1 microsecond'
    HAVING count(*) > 0
"""
_WRITE = b"""
    INSERT INTO period_regime (seal_no, source_no, rule, mass_kg, hours, without_mass, substituted, provisional, quality,
                               cause, known_at, batch_no)
    SELECT %(seal)s, %(key)s, n.*, %(cause)s, to_timestamp(0) + %(known_at)s * interval '1 microsecond', %(batch)s
      FROM (SELECT %(rule)s::text, %(mass_kg)s::float8, %(hours)s::bigint, %(without_mass)s::bigint,
                   %(substituted)s::bigint, %(provisional)s::bigint, %(quality)s::smallint)
               AS n (rule, mass_kg, hours, without_mass, substituted, provisional, quality)
      LEFT JOIN LATERAL (
           SELECT * FROM period_regime p WHERE p.seal_no = %(seal)s AND p.source_no = %(key)s
            ORDER BY p.batch_no DESC LIMIT 1) AS l ON true
     WHERE (n.rule, n.mass_kg, n.hours, n.without_mass, n.substituted, n.provisional, n.quality)
           IS DISTINCT FROM (l.rule, l.mass_kg, l.hours, l.without_mass, l.substituted, l.provisional, l.quality)
"""
