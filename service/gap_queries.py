"""The questions behind `service.gaps`: what is not covered, where exactly, and what stands at the ends.

Each takes any number of spans at once, as arrays. To a counter readings matter that
are usable (a time whose winner is) and that the ledger does not call a glitch.
"""

from typing import LiteralString

from service import past

_HERE: LiteralString = "point_no = p.point_no AND start_at >= t.begin_at AND start_at < t.end_at"
_ROWS: LiteralString = "SELECT start_at, covered_us, reasons FROM"
UNCOVERED: dict[str, str] = {
    table: f"""
    SELECT t.place, e.end_at, e.next_at
      FROM unnest(%(places)s::int[], %(ids)s::text[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
           AS t (place, id, begin_at, end_at)
      JOIN point p USING (id)
     CROSS JOIN LATERAL (
           SELECT f.end_at, lead(f.start_at) OVER (ORDER BY f.start_at, f.end_at) AS next_at
             FROM (SELECT t.begin_at AS start_at, t.begin_at AS end_at
                   UNION ALL
                   SELECT i.start_at, i.start_at + %(length)s * INTERVAL '1 microsecond'
                     FROM ({told}) i
                    WHERE i.covered_us = %(length)s AND i.reasons & %(gap)s = 0
                   UNION ALL
                   SELECT t.end_at, t.end_at) f
           ) e
     WHERE e.next_at > e.end_at
     ORDER BY t.place, e.end_at
    """  # noqa: S608  fragments of this module
    for table, told in (
        ("hour", f"{_ROWS} interval_hour WHERE {_HERE}"),
        ("interval", f"{_ROWS} interval WHERE {_HERE} AND revision > 0"),
        ("interval then", past.truth("interval", "start_at, covered_us, reasons", _HERE)),
    )
}
"""Parts of spans between rows that are covered whole; begin and end of a span stand for such rows. `then`: as of a batch."""

_USABLE: LiteralString = f"""
    {past.stored("r")} AND (NOT t.counter OR r.quality < 3 AND NOT EXISTS (
        SELECT 1 FROM reading o
         WHERE o.point_no = r.point_no AND o.measured_at = r.measured_at AND o.quality = 3 AND {past.stored("o")}
           AND (o.seq, o.received_at, o.value <> 'NaN', o.value, o.quality)
             > (r.seq, r.received_at, r.value <> 'NaN', r.value, r.quality))
        AND NOT EXISTS (SELECT 1 FROM {past.STEPS} g
                         WHERE g.point_no = r.point_no AND g.at = r.measured_at AND g.class = %(glitch)s))
"""  # noqa: S608  fragments of our own
PAIRS: LiteralString = f"""
    SELECT t.place, g.at, g.next_at
      FROM unnest(%(places)s::int[], %(ids)s::text[], %(counter)s::bool[], %(apart)s::bigint[],
                  %(begins)s::timestamptz[], %(ends)s::timestamptz[])
           AS t (place, ids, counter, apart_us, begin_at, end_at)
     CROSS JOIN LATERAL (
           SELECT array_agg(p.point_no) AS numbers FROM point p WHERE p.id = ANY(string_to_array(t.ids, ' '))) n
     CROSS JOIN LATERAL (
           SELECT (SELECT max(b.at) FROM unnest(n.numbers) AS source (point_no)
                    CROSS JOIN LATERAL (SELECT r.measured_at AS at FROM reading r
                                         WHERE r.point_no = source.point_no AND r.measured_at <= t.begin_at
                                           AND {_USABLE}
                                         ORDER BY r.measured_at DESC LIMIT 1) b) AS since,
                  (SELECT min(a.at) FROM unnest(n.numbers) AS source (point_no)
                    CROSS JOIN LATERAL (SELECT r.measured_at AS at FROM reading r
                                         WHERE r.point_no = source.point_no AND r.measured_at >= t.end_at
                                           AND {_USABLE}
                                         ORDER BY r.measured_at LIMIT 1) a) AS till) span
     CROSS JOIN LATERAL (
           SELECT m.at, lead(m.at) OVER (ORDER BY m.at) AS next_at
             FROM (SELECT DISTINCT r.measured_at AS at FROM reading r
                    WHERE r.point_no = ANY(n.numbers)
                      AND r.measured_at >= coalesce(span.since, t.begin_at)
                      AND r.measured_at <= coalesce(span.till, 'infinity') AND {_USABLE}) m) g
     WHERE g.next_at - g.at > t.apart_us * INTERVAL '1 microsecond'
        OR (g.next_at IS NULL AND span.till IS NULL)
     ORDER BY t.place, g.at
     LIMIT %(limit)s
"""  # noqa: S608  fragments of this module
"""Readings further apart than their point's reach around each stretch, and the last where none follows."""

_WINNER: LiteralString = """
    SELECT r.reasons, r.value FROM reading r
     WHERE r.point_no = {0} AND r.measured_at = {1} AND (NOT %(past)s OR r.batch_no <= %(batch)s)
     ORDER BY r.seq DESC, r.received_at DESC, r.value <> 'NaN' DESC, r.value DESC, r.quality DESC LIMIT 1
"""
ENDS: LiteralString = f"""
    SELECT (SELECT bit_or(w.reasons)
              FROM unnest(n.numbers) AS source (point_no)
             CROSS JOIN unnest(ARRAY[t.before_at, b.first_at, b.last_at, t.after_at]) AS beside (at)
             CROSS JOIN LATERAL ({_WINNER.format("source.point_no", "beside.at")}) w),
           (SELECT w.value FROM ({_WINNER.format("n.numbers[1]", "t.before_at")}) w),
           (SELECT w.value FROM ({_WINNER.format("n.numbers[1]", "t.after_at")}) w),
           l.class, l.increment, l.correction, f.used, f.because
      FROM unnest(%(ids)s::text[], %(befores)s::timestamptz[], %(afters)s::timestamptz[]) WITH ORDINALITY
           AS t (ids, before_at, after_at, place)
     CROSS JOIN LATERAL (
           SELECT array_agg(p.point_no) AS numbers FROM point p WHERE p.id = ANY(string_to_array(t.ids, ' '))) n
     CROSS JOIN LATERAL (
           SELECT min(r.measured_at) AS first_at, max(r.measured_at) AS last_at FROM reading r
            WHERE r.point_no = ANY(n.numbers) AND r.measured_at > t.before_at AND {past.stored("r")}
              AND r.measured_at < coalesce(t.after_at, 'infinity')) b
      LEFT JOIN {past.STEPS} l ON l.point_no = n.numbers[1] AND l.at = t.after_at AND l.previous_at = t.before_at
      LEFT JOIN LATERAL (
           SELECT f.used, f.because FROM gap_fill f
            WHERE f.point_no = n.numbers[1] AND f.from_at = t.before_at AND f.to_at = t.after_at
              AND CASE WHEN %(past)s THEN f.batch_no <= %(batch)s
                                          AND coalesce(f.superseded_batch > %(batch)s, true)
                       ELSE f.superseded_batch IS NULL END
            ORDER BY f.plan_version DESC LIMIT 1) f ON true
     ORDER BY t.place
"""  # noqa: S608  fragments of this module
"""Per gap the reasons at and beside its ends, the values there, the counter's step over it where it is booked,
and how it was filled where another profile than flat was asked for; over a change of version under the newest.

Beside the ends stand the readings that are in the gap all the same: bad ones of a counter.
"""

HEARD: LiteralString = f"""
    SELECT EXISTS (
           SELECT FROM point p
            WHERE p.id = ANY(%(ids)s::text[]) AND starts_with(p.id, t.stem)
              AND EXISTS (SELECT FROM reading r
                           WHERE r.point_no = p.point_no AND {past.stored("r")}
                             AND r.measured_at > t.begin_at AND r.measured_at < t.end_at))
      FROM unnest(%(stems)s::text[], %(begins)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY
           AS t (stem, begin_at, end_at, place)
     ORDER BY t.place
"""  # noqa: S608  fragments of this module
"""Whether any of the points whose ids begin with a stem has a reading in a span."""
