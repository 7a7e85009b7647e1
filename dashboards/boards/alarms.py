"""Alerts of a span, and how good the alarms are."""

from dashboards.panels import Board, Panel

BOARD = Board(
    "stackwatt-alerts",
    "Alerts and alarm quality",
    "Episodes of the span, and the measures of alarm management.",
    (
        Panel(
            "Alerts",
            """SELECT episode, rule, severity, state, subject_id, cause, value, "limit", unit, fired_at, resolved_at,
       acknowledged_at, mute
  FROM board.alert WHERE site = ${site:sqlstring} AND $__timeFilter(fired_at) ORDER BY fired_at DESC""",
            "/v1/alerts",
        ),
        Panel(
            "Told in the span",
            """SELECT count(*) AS episodes, count(*) FILTER (WHERE acknowledged_at IS NULL) AS unacknowledged
  FROM board.alert WHERE site = ${site:sqlstring} AND $__timeFilter(told_at)""",
            "/v1/alerts/quality",
            "stat",
        ),
        Panel(
            "Rules that came most often",
            """SELECT rule, count(*) AS episodes FROM board.alert WHERE site = ${site:sqlstring} AND $__timeFilter(told_at)
 GROUP BY rule ORDER BY 2 DESC, 1 LIMIT 10""",
            "/v1/alerts/quality",
        ),
    ),
)
