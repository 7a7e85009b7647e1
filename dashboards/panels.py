"""The vocabulary boards are written in: a board, its panels, and how they become Grafana's JSON.

A panel is one SQL statement over the views of schema `board`, and the route of the service that says the same; a
test runs both and compares. Figures are given with their valid share and data age. Nothing here knows a plant: sites,
units and thresholds are read by the queries. Grafana itself is not needed to make the JSON.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    VariableOption,
    VariableRefresh,
)

POSTGRES = DataSourceRef(type_val="grafana-postgresql-datasource", uid="stackwatt-postgres")
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="stackwatt-prometheus")
WINDOWS = {"5min": 300_000_000, "1h": 3_600_000_000, "8h": 28_800_000_000, "24h": 86_400_000_000}

Show = Literal["stat", "table", "lines"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel over PostgreSQL.

    `sql` of lines gives time, metric and numbers; of a table anything. `route` is the service's that says the same.
    `unit` is Grafana's name of the unit of `value`; None: rows say theirs.
    """

    title: str
    sql: str
    route: str
    show: Show = "table"
    unit: str | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One panel over Prometheus."""

    title: str
    expr: str
    unit: str = "short"


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard; its uid never changes."""

    uid: str
    title: str
    about: str
    panels: tuple[Panel | Metric, ...]
    since: str = "now-24h"


class PostgresQuery(variants.Dataquery):
    """A query of Grafana's own PostgreSQL data source, which the SDK has no type for."""

    def __init__(self, sql: str, show: Show) -> None:
        self.sql = sql
        self.show = show

    def build(self) -> Self:
        """Itself: it is its own builder."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it."""
        return {
            "refId": "A",
            "datasource": POSTGRES,
            "editorMode": "code",
            "format": "time_series" if self.show == "lines" else "table",
            "rawQuery": True,
            "rawSql": self.sql,
        }


class SqlAnnotation(AnnotationQuery):
    """An annotation query in SQL; the SDK's knows only tags."""

    def __init__(self, name: str, sql: str, color: str) -> None:
        super().__init__(name=name, datasource=POSTGRES, icon_color=color)
        self.sql = sql

    def build(self) -> Self:
        """Itself: it is its own builder."""
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it."""
        query = PostgresQuery(self.sql, "table").to_json()
        return {**super().to_json(), "target": {**query, "refId": "Anno"}}


ANNOTATIONS = (
    SqlAnnotation(
        "Alerts",
        "SELECT fired_at AS time, coalesce(resolved_at, board.clock()) AS timeend, coalesce(cause, rule) AS text,"
        " severity AS tags FROM board.alert WHERE site = ${site:sqlstring} AND $__timeFilter(fired_at)",
        "red",
    ),
    SqlAnnotation(
        "Calibrations",
        "SELECT calibrated_on::timestamptz AS time, id || ' calibrated' AS text, kind AS tags FROM board.instrument"
        " WHERE site = ${site:sqlstring} AND $__timeFilter(calibrated_on::timestamptz)",
        "blue",
    ),
)


def made(board: Board) -> dashboard.Dashboard:
    """A board for Grafana."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags(["stackwatt"])
        .readonly()
        .timezone("browser")
        .time(board.since, "now")
        .refresh("30s")
        .link(
            dashboard.DashboardLink("Boards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["stackwatt"])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(_site())
    )
    if any(isinstance(panel, Panel) for panel in board.panels):
        builder.with_variable(_unit()).with_variable(_window())
        for annotation in ANNOTATIONS:
            builder.annotation(annotation)  # type: ignore[arg-type]
    for panel in board.panels:
        builder.with_panel(_sql_panel(panel) if isinstance(panel, Panel) else _metric_panel(panel))
    return builder


def _site() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("site")
        .label("Site")
        .datasource(POSTGRES)
        .query("SELECT site FROM board.site ORDER BY site")
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
    )


def _unit() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("unit")
        .label("Unit")
        .datasource(POSTGRES)
        .query("SELECT DISTINCT unit_path FROM board.point WHERE site = ${site:sqlstring} ORDER BY 1")
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .include_all(True)
        .all_value("'%'")  # Grafana does not quote it
        .current(VariableOption(text="All", value="$__all"))
    )


def _window() -> dashboard.CustomVariable:
    return (
        dashboard.CustomVariable("window")
        .label("Window")
        .values(", ".join(f"{name} : {span}" for name, span in WINDOWS.items()))
        .current(VariableOption(text="1h", value=str(WINDOWS["1h"])))
    )


def _sql_panel(panel: Panel) -> Any:
    shapes: dict[Show, Any] = {"stat": stat.Panel, "table": table.Panel, "lines": timeseries.Panel}
    builder = shapes[panel.show]()
    builder.title(panel.title).description(f"{panel.about} As {panel.route}.".strip())
    builder.datasource(POSTGRES).height(9).span(12).with_target(PostgresQuery(panel.sql, panel.show))
    if panel.unit is not None:
        builder.unit(panel.unit)
    for name, unit in (("valid_share", "percentunit"), ("data_age_s", "s")):
        shown = [DynamicConfigValue(id_val="unit", value=unit)]
        if panel.show == "lines":  # told beside the figure, not drawn
            hidden = {"viz": True, "legend": True, "tooltip": False}
            shown.append(DynamicConfigValue(id_val="custom.hideFrom", value=hidden))
        builder.override_by_regexp(f"/^{name}/", shown)
    return builder


def _metric_panel(panel: Metric) -> Any:
    query = prometheus.Dataquery().expr(panel.expr).range().ref_id("A").datasource(PROMETHEUS)
    return (
        timeseries.Panel()
        .title(panel.title)
        .datasource(PROMETHEUS)
        .height(8)
        .span(12)
        .unit(panel.unit)
        .with_target(query)
    )
