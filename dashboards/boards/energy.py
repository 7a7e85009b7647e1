"""Energy and products by hour: counters and deltas as they were booked."""

from dashboards.panels import Board, Panel

_HOURS = """SELECT start_at AS time, id AS metric, amount, valid_share,
       extract(epoch FROM board.clock() - start_at)::float8 - 3600 AS data_age_s
  FROM board.point_hour
 WHERE site = ${site:sqlstring} AND unit_path || '/' LIKE ${unit:sqlstring} || '/%%' AND kind IN ('counter', 'delta')
   AND unit = '%s' AND $__timeFilter(start_at)
 ORDER BY 1, 2"""

BOARD = Board(
    "stackwatt-energy",
    "Energy by carrier and unit",
    "Amounts of every hour by meter.",
    (
        Panel("Energy by hour", _HOURS % "kWh", "/v1/points/{id}/intervals", "lines", "kwatth"),
        Panel("Mass by hour", _HOURS % "t", "/v1/points/{id}/intervals", "lines", "masst"),
        Panel(
            "Energy of the span by carrier and meter",
            """SELECT carrier, id, sum(amount) AS amount, unit, sum(valid_share) / count(*) AS valid_share,
       extract(epoch FROM board.clock() - max(start_at))::float8 - 3600 AS data_age_s
  FROM board.point_hour
 WHERE site = ${site:sqlstring} AND unit_path || '/' LIKE ${unit:sqlstring} || '/%' AND kind IN ('counter', 'delta')
   AND carrier IS NOT NULL AND $__timeFilter(start_at)
 GROUP BY carrier, id, unit ORDER BY carrier, id""",
            "/v1/points/{id}/intervals",
            about="Meters stand within each other: their amounts are not to be added.",
        ),
    ),
)
