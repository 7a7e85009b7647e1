"""A short run of `./run chaos webhooks`, as people start it, on the tests' database."""

import json
import subprocess
import sys
from typing import Any

from tests.recovery.process import ROOT, environment


def test_killed_at_any_moment_every_event_arrives_in_order_under_its_id(dsn: str) -> None:
    command = [sys.executable, "-P", "-m", "deploy", "chaos", "webhooks", "--events", "60", "--kills", "5"]
    ended = subprocess.run(
        [*command, "--seed", "7", "--dsn", dsn, "--json"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ended.stdout, ended.stderr[-3000:]
    report: dict[str, Any] = json.loads(ended.stdout)
    assert (ended.returncode, report["failures"]) == (0, [])
    assert report["kills_total"] == 5
    assert report["tests"] >= 1
    assert report["deliveries"] == 2 * 60 + report["tests"]
    assert report["received"] >= report["deliveries"]
