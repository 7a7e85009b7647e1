"""`stackwatt declare` against a real service: a person is a key."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from service import keys
from service.app import create_app
from tests.service.conftest import Clock
from tests.service.seeding import CLOSED, seed, text
from tests.service.serving import serving

ROOT = Path(__file__).resolve().parents[2]
POWER, CLINKER = "cement/kiln/power", "cement/kiln/clinker"


class Console:
    """The command as a process, of one person each time."""

    def __init__(self, address: str, keys_of: dict[str, str]) -> None:
        self._address = address
        self._keys = keys_of

    async def run(self, who: str, *arguments: str) -> tuple[int, str]:
        """Exit code, and what it said on whichever stream."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STACKWATT_")}
        environment |= {
            "PYTHONPATH": str(ROOT),
            "STACKWATT_SERVICE": self._address,
            "STACKWATT_KEY": self._keys[who],
        }
        result = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-P", "-m", "deploy", "declare", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return result.returncode, result.stdout + result.stderr


@pytest.fixture
async def console(dsn: str) -> AsyncIterator[Console]:
    """The seeded cement line, served; anna and bert may declare."""
    seed(dsn)
    made = {"nobody": ""}
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        for name in ("anna", "bert"):
            made[name] = await keys.create(connection, name, ["operate", "read"], None)
    async with serving(create_app(dsn, None, now=Clock())) as address:
        yield Console(address, made)


async def test_proposed_by_one_and_approved_by_another(console: Console) -> None:
    at = text(CLOSED)
    code, line = await console.run("anna", "correct", POWER, at, "11.4", "--unit", "MW", "--note", "misread")
    assert (code, line) == (
        0, f"1  proposed  correction of {POWER} at {at}: 11400.0 kW (good), by anna: misread\n"
    )  # fmt: skip
    code, line = await console.run("anna", "approve", "1")
    assert (code, line) == (
        1,
        "Declaration 1 was proposed by key 'anna' itself: expected the key of a second person to approve it.\n",
    )
    code, line = await console.run("bert", "approve", "1")
    assert (code, line.split("  ")[1]) == (0, "approved")
    code, line = await console.run("bert", "withdraw", "1", "--note", "after all")
    assert (code, line) == (0, f"2  proposed  withdrawal of {POWER} at {at}: undoes 1, by bert: after all\n")
    code, lines = await console.run("bert", "list", "--site", "cement", "--state", "proposed")
    assert (code, lines) == (0, line)


async def test_registers_states_and_missing_values(console: Console) -> None:
    at = text(CLOSED)
    code, line = await console.run("anna", "replace", CLINKER, at, "100", "0.5", "--note", "new scale")
    assert (code, line) == (
        0,
        f"1  proposed  replacement of {CLINKER} at {at}: 100.0 → 0.5 t, by anna: new scale\n",
    )
    _, line = await console.run(
        "anna", "correct", "cement/kiln/stack/state", at, "calibration", "--note", "drift test"
    )
    assert ": 2.0 1 (good), by anna" in line
    _, line = await console.run("anna", "correct", POWER, at, "none", "--note", "cable cut")
    assert ": no value kW (bad), by anna" in line
    _, line = await console.run("anna", "refuse", "3")
    assert line.endswith("by anna, decided by anna: cable cut\n")


async def test_what_is_wrong_is_one_sentence(console: Console) -> None:
    code, line = await console.run("anna", "correct", POWER, "yesterday", "1", "--note", "why")
    assert (code, line[:42]) == (1, "Body 'measured_at' is 'yesterday': expecte")
    code, line = await console.run("nobody", "list")
    assert (code, line) == (
        2, "no key: expected one with scope operate in STACKWATT_KEY, see `stackwatt keys create`\n"
    )  # fmt: skip
    code, line = await console.run("anna", "list", "--service", "http://127.0.0.1:9")
    assert (code, line[:52]) == (1, "the service at http://127.0.0.1:9 does not answer: [")
