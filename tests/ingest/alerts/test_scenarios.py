"""Every kind of alert rule, as an operator would tell it; `scenario.py` says how a file is read."""

from pathlib import Path

import pytest

from tests.ingest.alerts.scenario import run

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    run(path.read_text(encoding="utf-8"))


def test_a_scenario_that_does_not_hold_fails() -> None:
    rules = "- {id: high, point: line/power, above: 800}\n---\n"
    with pytest.raises(AssertionError, match=r"\['high fires'\] came of"):
        run(f"{rules}08:00 line/power 900 -> nothing\n")
    with pytest.raises(AssertionError, match="high is inactive"):
        run(f"{rules}08:00 line/power 700 -> high firing\n")
