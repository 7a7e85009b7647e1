"""`stackwatt documents` against a real service: a file proposed by one, approved by another."""

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
from tests.service.documenting import NOW, SHA, begun
from tests.service.serving import serving

ROOT = Path(__file__).resolve().parents[2]
FILE = f"""\
kind,number,activity,from,to,quantity,file_sha256
invoice,RE-1,coal,2026-10-01,2026-11-01,1000,{SHA}
stock_change,S-1,coal,2026-10-01,2026-11-01,-12.5,{SHA}
"""


async def run(address: str, key: str, *arguments: str) -> tuple[int, str]:
    """Exit code of the command as a process, and what it said on whichever stream."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STACKWATT_")}
    environment |= {"PYTHONPATH": str(ROOT), "STACKWATT_SERVICE": address, "STACKWATT_KEY": key}
    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", "-m", "deploy", "documents", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
async def service(dsn: str) -> AsyncIterator[tuple[str, str, str]]:
    """The mill, served; the keys of anna and bert."""
    await begun(dsn)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        anna, bert = [
            await keys.create(connection, name, ["operate", "read"], None) for name in ("anna", "bert")
        ]
    clock = Clock()
    clock.now = NOW
    async with serving(create_app(dsn, None, now=clock)) as address:
        yield address, anna, bert


async def test_a_file_is_imported_once_and_approved_by_another(
    service: tuple[str, str, str], tmp_path: Path
) -> None:
    address, anna, bert = service
    file = tmp_path / "october.csv"
    file.write_text(FILE, encoding="utf-8")
    said = await run(address, anna, "import", str(file), "--site", "mill")
    assert said == (0, "october.csv: 2 documents proposed: 1 2\n")
    said = await run(address, anna, "import", str(file), "--site", "mill")
    assert said == (0, "october.csv: 2 documents were proposed before: 1 2\n")
    code, line = await run(address, anna, "approve", "1")
    assert (code, line) == (
        1, "Document 1 was proposed by key 'anna' itself: expected the key of a second person to approve it.\n"
    )  # fmt: skip
    code, lines = await run(address, bert, "approve", "1", "2")
    assert code == 0
    assert lines.splitlines()[1] == (
        "2  approved  stock_change S-1 of coal, 2026-09-30T22:00:00Z to 2026-10-31T23:00:00Z: -12.5 t, by anna,"
        " checked by bert"
    )
    code, lines = await run(address, bert, "list", "--state", "approved")
    assert (code, len(lines.splitlines())) == (0, 2)


async def test_a_wrong_file_is_told_with_its_line(service: tuple[str, str, str], tmp_path: Path) -> None:
    address, anna, _ = service
    file = tmp_path / "wrong.csv"
    file.write_text(FILE.replace("-12.5", "0x"), encoding="utf-8")
    code, line = await run(address, anna, "import", str(file), "--site", "mill")
    assert (code, line) == (1, "Line 3: Body 'quantity' is '0x': expected a valid number.\n")
    code, line = await run(address, anna, "import", str(tmp_path / "none.csv"), "--site", "mill")
    assert code == 2
    assert line.endswith("none.csv: No such file or directory; expected a CSV file\n")
