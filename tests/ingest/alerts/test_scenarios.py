"""Every kind of alert rule, as an operator would tell it; `scenario.py` says how a file is read."""

from pathlib import Path

import numpy as np
import pytest

from ingest.model import SECOND
from tests.ingest.alerts.scenario import Mill, run

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


def test_what_closes_between_two_evaluations_is_seen_by_the_next() -> None:
    mill = Mill("- {id: mean, point: line/power, figure: mean, above: 800}\n")
    begin = mill.instant("08:00")
    for now, latest in ((begin, True), (begin + 61 * SECOND, False), (begin + 62 * SECOND, True)):
        readings = mill.reading(now, ["line/power", "900"])
        batch = mill.pipeline.process(
            readings, np.zeros(1, np.int64), monotonic_us=now, caught_up=True, latest=latest, now_us=now
        )
        mill.pipeline.alerts.settle(batch.alerts)
    assert mill.state_of("mean") == "firing"
