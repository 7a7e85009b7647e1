"""Plant overview: what the plant is now, how it stands beside its benchmarks, what fires."""

from dashboards.panels import Board, Panel

BOARD = Board(
    "stackwatt-overview",
    "Plant overview",
    "Now and the last windows, beside the benchmarks of the plant file.",
    (
        Panel(
            "Figures now",
            """SELECT id, name, value, unit, reason, valid_share, data_age_s FROM board.kpi_now
 WHERE site = ${site:sqlstring} AND window_us = $window ORDER BY id""",
            "/v1/kpis/latest",
            about="A figure without a value has a reason.",
        ),
        Panel(
            "Figures beside their benchmarks",
            """SELECT b.id, n.id AS kpi, n.value, b.value AS benchmark, b.unit, b.level, b.better, b.source, b.trust,
       n.valid_share, n.data_age_s
  FROM board.benchmark b JOIN board.kpi_now n ON n.id = b.kpi AND n.unit = b.unit
 WHERE b.site = ${site:sqlstring} AND n.window_us = $window ORDER BY b.id""",
            "/v1/kpis",
            about="Benchmarks as written in the plant file, before corrections.",
        ),
        Panel(
            "Alerts that fire",
            """SELECT episode, rule, severity, cause, fired_at, acknowledged_at FROM board.alert
 WHERE site = ${site:sqlstring} AND state = 'firing' ORDER BY fired_at DESC""",
            "/v1/alerts",
        ),
    ),
)
