"""Data quality: how much of each hour is valid, how old the data are, what is sealed."""

from dashboards.panels import Board, Panel

BOARD = Board(
    "stackwatt-quality",
    "Data quality",
    "Valid shares, ages and sealed periods.",
    (
        Panel(
            "Valid share of each hour",
            """SELECT start_at AS time, id AS metric, valid_share AS valid FROM board.point_hour
 WHERE site = ${site:sqlstring} AND unit_path || '/' LIKE ${unit:sqlstring} || '/%' AND $__timeFilter(start_at)
 ORDER BY 1, 2""",
            "/v1/points/{id}/intervals",
            "lines",
            "percentunit",
        ),
        Panel(
            "Last commit of ingest",
            """SELECT site, clock, batch_no, committed_at, watermark, commit_age_s AS data_age_s FROM board.site
 WHERE site = ${site:sqlstring}""",
            "/v1/kpis/latest",
        ),
        Panel(
            "Sealed periods",
            """SELECT seal_no, kind, edition, from_at, to_at, sealed_by FROM board.period
 WHERE site = ${site:sqlstring} ORDER BY from_at DESC""",
            "/v1/periods",
        ),
    ),
)
