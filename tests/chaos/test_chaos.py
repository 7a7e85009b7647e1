"""A short run of `./run chaos`, as people start it."""

import json
import subprocess
import sys
from typing import Any

import pytest

from deploy.broker import find_mosquitto
from tests.recovery.process import ROOT, environment

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(find_mosquitto() is None, reason="needs Mosquitto on PATH (apt install mosquitto)"),
]


@pytest.mark.timeout(420)
def test_kills_and_cuts_at_random_lose_and_double_nothing() -> None:
    command = [sys.executable, "-P", "-m", "deploy", "chaos", "--minutes", "0.8", "--seed", "22", "--json"]
    ended = subprocess.run(
        [*command, "--rate", "1500"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ended.stdout, ended.stderr[-3000:]
    report: dict[str, Any] = json.loads(ended.stdout)
    assert (ended.returncode, report["failures"]) == (0, [])
    assert (report["lost"], report["doubled"]) == (0, 0)
    assert report["published"] == report["stored"] > 20_000
    assert sum(report["faults"].values()) >= 6
    assert report["kills_total"] >= 2
    assert report["checks"] > 50
    assert all(report["figures_compared"].values())
    assert "Traceback" not in ended.stderr
