"""What a new version of a plant file may not change, for the sake of what is stored."""

from datetime import UTC, datetime

import pytest
from psycopg import AsyncConnection

from ingest.errors import InputError
from ingest.plant import canonical, parse_plant
from ingest.store.registry import apply_plan
from tests.ingest.feeding import PLANT, START, message, open_site

FORBIDDEN = {
    "interval": (
        ("interval: 1min", "interval: 5min"),
        "interval is '5min'; expected '1min', as all stored intervals are that long",
    ),
    "time zone": (
        ("Europe/Berlin", "Asia/Shanghai"),
        "time_zone is 'Asia/Shanghai'; expected 'Europe/Berlin', as stored days begin there",
    ),
    "unit": (
        ("line/power, kind: gauge, unit: kW", "line/power, kind: gauge, unit: MW"),
        "line/power: unit is 'MW'; expected 'kW', as in its stored readings, or a new id",
    ),
    "unit of a renamed point": (
        ("id: line/batch, kind: delta, unit: t", "id: line/sacks, formerly: [line/batch], kind: delta, unit: kg"),
        "line/sacks: unit is 'kg'; expected 't', as in its stored readings, or a new id",
    ),
    "kind": (
        ("line/setpoint, kind: gauge", "line/setpoint, kind: sample"),
        "line/setpoint: kind is 'sample'; expected 'gauge', as in its stored readings, or a new id",
    ),
    "resolution": (
        ("period: 1min, resolution: 0.001", "period: 1min, resolution: 0.01"),
        "line/batch: resolution is 0.01; expected 0.001, as in its stored amounts, or a new id",
    ),
    "unit of a KPI": (
        ("line/intensity, kind: ratio, unit: kWh/t", "line/intensity, kind: ratio, unit: MWh/t"),
        "line/intensity: unit is 'MWh/t'; expected 'kWh/t', as in its stored values, or a new id",
    ),
    "gas": (
        ("category: purchased, gas: co2", "category: purchased, gas: ch4"),
        "line/electricity: gas is 'ch4'; expected 'co2', as in its stored masses, or a new id",
    ),
}  # fmt: skip


async def newer(dsn: str, text: str) -> None:
    digest, body = canonical(parse_plant(text, "test.yaml"))
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await apply_plan(connection, 1, digest, body, datetime.now(UTC))


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_what_stored_facts_rest_on_stays(dsn: str, what: str) -> None:
    (old, new), sentence = FORBIDDEN[what]
    assert old in PLANT
    changed = PLANT.replace(old, new)
    ingest = await open_site(dsn)
    await newer(dsn, changed)
    await newer(dsn, PLANT)
    await ingest.take([message("line/power", START, 1.0)], caught_up=False)
    await ingest.close()
    with pytest.raises(InputError) as caught:
        await newer(dsn, changed)
    assert str(caught.value) == f"plant file of site 'mill', version 4: {sentence}"


async def test_everything_else_may_change(dsn: str) -> None:
    ingest = await open_site(dsn)
    await ingest.take([message("line/power", START, 1.0)], caught_up=False)
    await ingest.close()
    for old, new in (
        ("limits: [0, 1000]", "limits: [0, 900]"),
        ("max_gap: 2min", "max_gap: 3min"),
        ("line/mass", "line/flour"),
        ("modulus: 1e9", "modulus: 1e8"),
    ):
        assert old in PLANT
        await newer(dsn, PLANT.replace(old, new))
