"""Prometheus' rules: over metrics that our processes export, each with its entry in the runbook."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from deploy.process import ROOT
from ingest.metrics import IngestMetrics
from service.metrics import Metrics
from service.webhook_metrics import Counts, EndpointCounts

FILE = ROOT / "deploy" / "prometheus" / "rules.yaml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
OF_PROMETHEUS = {"up": {"job", "instance"}}
BY_SCRAPE = {"job", "instance"}


def exported() -> dict[str, set[str]]:
    """Every series that a process tells, with its labels."""
    registry = CollectorRegistry()
    IngestMetrics(registry).start("mill")
    service = Metrics()
    service.requests.labels("GET", "/v1/points", "200").inc()
    service.seconds.labels("/v1/points").observe(0.01)
    webhook = EndpointCounts("mill", "mes", 1, 0, 0, 0, 0.0)
    told = service.exposition(
        {"mill": 1.0}, {"pool_size": 2, "pool_available": 1}, Counts([webhook], events=0, notifiers=1)
    )
    found: dict[str, set[str]] = {}
    for text in (generate_latest(registry).decode(), told.decode()):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_rule_looks_at_what_is_exported(rule: dict[str, Any]) -> None:
    series = exported() | OF_PROMETHEUS
    names = re.findall(r"\b(stackwatt_\w+|up)\b(?!\")", rule["expr"].replace('job="stackwatt', 'job="'))
    assert names
    assert set(names) <= series.keys()
    known = BY_SCRAPE.union(*(series[name] for name in names))
    matched = set(re.findall(r"(\w+)=~?\"", rule["expr"]))
    grouped = {
        label.strip()
        for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", rule["expr"])
        for label in labels.split(",")
    }
    told = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert matched | grouped | told <= known
    by = re.search(r"\bby \(([^)]*)\)", rule["expr"])
    if by is not None:  # what is summed away cannot be told
        assert told <= {label.strip() for label in by.group(1).split(",")}


def test_every_rule_says_how_urgent_it_is() -> None:
    assert {rule["labels"]["severity"] for rule in RULES} == {"critical", "warning"}
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_the_runbook_has_one_entry_for_each_alert() -> None:
    runbook = (ROOT / "deploy" / "RUNBOOK.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## (\w+)\n(.+)", runbook, re.MULTILINE)
    assert [name for name, _ in entries] == [rule["alert"] for rule in RULES]
    assert all(len(first) > 40 for _, first in entries)


def test_the_runbook_names_commands_that_exist() -> None:
    from deploy.cli import app  # noqa: PLC0415 - the rest of this file needs no console

    runbook = (ROOT / "deploy" / "RUNBOOK.md").read_text(encoding="utf-8")
    commands = {command.name for command in app.registered_commands}
    for group in app.registered_groups:
        assert group.typer_instance is not None
        commands |= {f"{group.name} {command.name}" for command in group.typer_instance.registered_commands}
    named = re.findall(r"^(?:.*`)?stackwatt ([a-z]+)(?: ([a-z]+))?", runbook, re.MULTILINE)
    assert named
    assert [one for one in named if not {one[0], " ".join(one)} & commands] == []


def test_promtool_takes_the_rules_and_they_fire_as_meant(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool on PATH (Debian: apt install prometheus)")
    scenarios = Path(__file__).with_name("rules_scenarios.yaml")
    for file in (FILE, FILE.with_name("prometheus.yaml"), scenarios):
        shutil.copy(file, tmp_path)
    for arguments in (("check", "config", "prometheus.yaml"), ("test", "rules", scenarios.name)):
        said = subprocess.run(
            [promtool, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr
