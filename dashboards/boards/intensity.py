"""Intensity and demand over time: the two sums of an hour, then their ratio; never a mean of ratios."""

from dashboards.panels import Board, Panel

SERIES = """SELECT date_bin('%(bin)s', start_at, 'epoch') AS time, id AS metric,
       board.combine(kind, sum(a), sum(b), sum(covered_us)) AS value,
       sum(valid_us)::float8 / (extract(epoch FROM interval '%(bin)s') * 1e6)::float8 AS valid_share,
       extract(epoch FROM board.clock() - max(start_at))::float8 AS data_age_s
  FROM board.kpi_interval
 WHERE site = ${site:sqlstring} AND unit = '%(unit)s' AND kind = '%(kind)s' AND $__timeFilter(start_at)
 GROUP BY 1, id, kind ORDER BY 1, 2"""


def hours(title: str, unit: str, kind: str, grafana: str, every: str = "1 hour") -> Panel:
    """KPIs of one unit by the hour."""
    sql = SERIES % {"bin": every, "unit": unit, "kind": kind}
    return Panel(title, sql, "/v1/kpis/{id}/series", "lines", grafana)


BOARD = Board(
    "stackwatt-intensity",
    "Intensity and demand",
    "Energy per product by hour, and what is drawn.",
    (
        hours("Electricity per product", "kWh/t", "ratio", "suffix: kWh/t"),
        hours("Coal equivalent per product", "kgce/t", "ratio", "suffix: kgce/t"),
        hours("Power", "kW", "rate", "kwatt"),
        hours("Demand of each quarter of an hour", "kW", "demand", "kwatt", "15 minutes"),
        hours("Power factor", "1", "power_factor", "none"),
    ),
)
