"""`verify` and `evidence` on the console: what they print, and their exit codes."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import psycopg
from typer.testing import CliRunner, Result

from deploy.cli import app
from tests.ingest.evidence.test_evidence import fed
from tests.ingest.evidence.world import signer
from tests.ingest.feeding import Clock

SPAN = ("--from", "2026-11-20T08:00:00Z", "--to", "2026-11-20T10:00:00Z")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_site_is_verified_exported_and_checked_by_others(dsn: str, tmp_path: Path) -> None:
    asyncio.run(fed(dsn, Clock(), 2, signer()))
    whole = run("verify", "--dsn", dsn)
    assert whole.exit_code == 0
    first, *_, last = whole.stdout.splitlines()
    assert first.endswith("everything is as it was written. Hours: 1 signed, 0 not signed.")
    assert last == f"Public key: {signer().public_key.hex()}"
    mine, other = signer().public_key.hex(), signer(bytes([7]) * 32).public_key.hex()
    assert run("verify", "--dsn", dsn, "--key", mine).exit_code == 0
    foreign = run("verify", "--dsn", dsn, "--key", other)
    assert (foreign.exit_code, foreign.stdout.splitlines()[0]) == (1, f"signed with {mine}, not with {other}")
    bundle = tmp_path / "mill.zip"
    exported = run("evidence", "export", *SPAN, "--output", str(bundle), "--dsn", dsn)
    assert exported.exit_code == 0, exported.output
    checked = subprocess.run(
        [sys.executable, "-I", "-S", str(bundle)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith("mill, 2026-11-20T08:00:00Z to 2026-11-20T09:54:00")
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM reading WHERE batch_no = 3")
    broken = run("verify", "--dsn", dsn, *SPAN)
    assert broken.exit_code == 1
    assert (
        broken.stdout.splitlines()[0] == "reading mill/line/setpoint 2026-11-20T08:12:00Z: removed (batch 3)"
    )
    found = json.loads(run("verify", "--dsn", dsn, "--json").stdout)
    assert found["findings"] == broken.stdout.splitlines()[:1]
    assert (found["before_evidence_began"], found["hours"]) == (0, {"signed": 1, "unsigned": 0})


def test_hours_whose_signatures_were_taken_away_are_not_vouched_for(dsn: str) -> None:
    asyncio.run(fed(dsn, Clock(), 3, signer()))
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "UPDATE evidence_hour SET public_key = NULL, signature = NULL"
            " WHERE hour_at = (SELECT max(hour_at) FROM evidence_hour)"
        )
    told = run("verify", "--dsn", dsn, "--key", signer().public_key.hex())
    assert told.exit_code == 1
    assert told.stdout.splitlines()[0] == "the last 1 hours are not signed, and no signed one follows them"


def test_without_any_evidence_nothing_is_proven(dsn: str) -> None:
    asyncio.run(fed(dsn, Clock(), 2, signer()))
    told = run("verify", "--dsn", dsn)
    assert (told.exit_code, "No --key was given" in told.stdout) == (0, True)
    assert "No --key" not in run("verify", "--dsn", dsn, "--key", signer().public_key.hex()).stdout
    with psycopg.connect(dsn) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("evidence_leaf", "evidence_hour", "evidence_note"):
            connection.execute(f"DELETE FROM {table}".encode())
        [batches] = connection.execute("SELECT count(*) FROM ingest_commit").fetchone() or [0]
        connection.execute("UPDATE reading SET value = value + 1 WHERE batch_no = 3")
    for asked in ((), SPAN):
        found = run("verify", "--dsn", dsn, *asked)
        assert found.exit_code == 1, found.output
        assert found.stdout.startswith("no evidence at all: nothing is proven of ")
    assert run("verify", "--dsn", dsn).stdout.splitlines()[0].endswith(f" {batches} batches")
    assert run("verify", "--dsn", dsn, "--from", "2030-01-01T00:00:00Z").exit_code == 0, (
        "there is nothing to prove"
    )
