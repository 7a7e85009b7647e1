"""Each of 1000 single-row tamperings is found and named, in the database and in the bundle."""

import io
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

from ingest.evidence.verifier.bundle import checked
from ingest.evidence.verifier.walk import NOTED
from ingest.evidence_export import export
from ingest.verify import Asked, verified
from tests.ingest.evidence.bundles import tampered
from tests.ingest.evidence.tampering import Tamperer, Told, keys_of
from tests.ingest.evidence.world import built, signer

AT_ONCE = 20
TAMPERINGS = 1000
MADE: dict[str, bytes] = {}


@pytest.fixture
async def bundle(dsn: str, tmp_path: Path) -> dict[str, bytes]:
    """The members of a bundle of the mill; made once."""
    if not MADE:
        await built(dsn, signer())
        output = tmp_path / "mill.zip"
        await export(dsn, Asked("mill"), output)
        with zipfile.ZipFile(output) as found:
            MADE.update({name: found.read(name) for name in found.namelist()})
    return dict(MADE)


def packed(members: dict[str, bytes]) -> bytes:
    """A zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as found:
        for name, content in members.items():
            found.writestr(name, content)
    return held.getvalue()


def zipped(members: dict[str, bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(packed(members)))


async def _apart(tamperer: Tamperer, cursor: psycopg.AsyncCursor, most: int) -> list[Told]:
    """So many tamperings that no two touch the same table of the same batch."""
    made: list[Told] = []
    touched = set[tuple[int, str]]()
    while len(made) < most:
        async with cursor.connection.transaction() as attempt:
            one = await tamperer.tamper()
            if touched & set(one.keys):
                raise psycopg.Rollback(attempt)
        if not touched & set(one.keys):
            touched |= set(one.keys)
            made.append(one)
    return made


def unlike(made: list[Told], findings: list[Any]) -> list[str]:
    """In what findings differ from what was done."""
    found = keys_of(findings)
    if any(table == "evidence_note" for one in made for _, table in one.keys):
        # Then it is not told any more what a number or a version was.
        found = {place: keys for place, keys in found.items() if place[1] not in NOTED.values()}
    if any(table == "period_seal" for one in made for _, table in one.keys):
        # Which totals of regimes were frozen is told by the batch of their seal.
        spared = {place for one in made for place in one.keys}
        found = {
            place: keys for place, keys in found.items() if place[1] != "period_regime" or place in spared
        }
    wrong = []
    for one in made:
        for place, keys in one.keys.items():
            named = set[Any]().union(*found.pop(place, []))
            if not named & keys or not named <= keys:
                wrong.append(f"{one.what}: {place} {keys} told as {named}")
    return wrong + [f"{place} {keys} though nothing was done" for place, keys in found.items()]


@pytest.mark.timeout(300)
async def test_each_tampering_of_the_database_is_named(dsn: str) -> None:
    await built(dsn, signer())
    dice = random.Random(2026)
    ways = set[str]()
    async with (
        await AsyncConnection.connect(dsn, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        sites = [("mill", Tamperer(cursor, 1, dice), AT_ONCE), ("kiln", Tamperer(cursor, 2, dice), 6)]
        for _, tamperer, _ in sites:
            await tamperer.look()
        done = 0
        while done < TAMPERINGS:
            site, tamperer, most = dice.choices(sites, (4, 1))[0]
            async with connection.transaction(force_rollback=True):
                await cursor.execute("SET LOCAL session_replication_role = replica")
                made = await _apart(tamperer, cursor, most)
                outcome = await verified(cursor, tamperer.site_no, site)
                assert unlike(made, outcome.tally.findings) == [], done
            done += len(made)
            ways |= {" ".join(one.what.split()[:2]) for one in made}
    assert len(ways) > 60


def test_each_tampering_of_a_bundle_is_named(bundle: dict[str, bytes]) -> None:
    """Lines of rows and notes; what is altered is told by the verifier that is in the bundle."""
    dice = random.Random(2027)
    for group in range(TAMPERINGS // AT_ONCE):
        members, told = tampered(bundle, dice, AT_ONCE)
        outcome = checked(zipped(members))
        assert unlike(told, outcome.tally.findings) == [], group


def test_a_bundle_checks_itself_without_us(bundle: dict[str, bytes], tmp_path: Path) -> None:
    whole, altered = tmp_path / "whole.zip", tmp_path / "altered.zip"
    whole.write_bytes(packed(bundle))
    members, _ = tampered(bundle, random.Random(1), 1)
    altered.write_bytes(packed(members))
    key = signer().public_key.hex()
    found = [
        subprocess.run(
            [sys.executable, "-I", "-S", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        for arguments in (
            [whole, "--key", key],
            [altered],
            [whole, altered],
            [whole, "--key", "00"],
            [whole, tmp_path],
        )
    ]
    assert [one.returncode for one in found] == [0, 1, 1, 1, 2], [one.stdout + one.stderr for one in found]
    assert "everything is as it was written" in found[0].stdout
    assert f"Public key: {key}" in found[0].stdout
    assert found[1].stdout == found[2].stdout


@pytest.mark.parametrize("member", ["leaves.jsonl", "hours.jsonl"])
def test_evidence_that_is_altered_is_found(bundle: dict[str, bytes], member: str) -> None:
    dice = random.Random(3)
    for _ in range(60):
        lines = bundle[member].splitlines()
        place = dice.randrange(len(lines))
        cells = json.loads(lines[place])
        column = dice.choice([n for n, cell in enumerate(cells) if cell])
        cell = cells[column]
        digit = "0" if isinstance(cell, str) and cell[7] != "0" else "1"
        cells[column] = cell + 1 if isinstance(cell, int) else cell[:7] + digit + cell[8:]
        lines[place] = json.dumps(cells).encode()
        outcome = checked(zipped({**bundle, member: b"\n".join(lines) + b"\n"}))
        assert outcome.tally.findings, (member, place, column)
