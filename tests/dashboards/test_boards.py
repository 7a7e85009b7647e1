"""The committed JSON is what the code makes, and reads nothing that is not there."""

import json
import re
from typing import Any

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import CollectorRegistry

from dashboards.__main__ import JSON, text_of
from dashboards.boards import BOARDS
from dashboards.panels import Board, Metric, Panel
from ingest.metrics import IngestMetrics
from service.metrics import Metrics
from tests.conftest import ROOT

CORE = {"stat", "table", "timeseries"}
SOURCES = {"stackwatt-postgres", "stackwatt-prometheus"}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_the_committed_json_is_what_the_code_makes(board: Board) -> None:
    committed = (JSON / f"{board.uid}.json").read_text(encoding="utf-8")
    assert committed == text_of(board), "run `python -m dashboards`"


def test_there_is_no_json_without_a_board() -> None:
    assert {file.stem for file in JSON.iterdir()} == {board.uid for board in BOARDS}
    assert len({board.title for board in BOARDS}) == len(BOARDS)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_board_is_one_to_the_sdk_and_uses_only_what_grafana_has(board: Board) -> None:
    told = json.loads(text_of(board))
    bare: dict[str, Any] = {**told, "annotations": {}, "panels": []}
    assert Dashboard.from_json(bare).uid == board.uid
    assert {panel["type"] for panel in told["panels"]} <= CORE
    assert {panel["datasource"]["uid"] for panel in told["panels"]} <= SOURCES
    assert len(told["panels"]) == len(board.panels)
    assert told["links"][0]["tags"] == ["stackwatt"]


def test_panels_read_views_only() -> None:
    for board in BOARDS:
        for panel in board.panels:
            if isinstance(panel, Panel):
                read = re.findall(
                    r"(?:FROM|JOIN) +([a-z_.]+)(?![a-z_.])", re.sub(r"extract\([^$]*?FROM", "", panel.sql)
                )
                assert read
                assert all(name.startswith("board.") for name in read), (panel.title, read)


def test_metrics_exist() -> None:
    registry = CollectorRegistry()
    IngestMetrics(registry)
    there = {
        sample
        for made in (registry, Metrics().registry)
        for family in made.collect()
        for sample in (family.name, f"{family.name}_total", f"{family.name}_bucket")
    }
    webhooks = (ROOT / "service" / "webhook_metrics.py").read_text(encoding="utf-8")
    there |= {f"{name}{end}" for name in re.findall(r'"(stackwatt_\w+)"', webhooks) for end in ("", "_total")}
    for board in BOARDS:
        for panel in board.panels:
            if isinstance(panel, Metric):
                assert set(re.findall(r"stackwatt_\w+", panel.expr)) <= there, panel.title
