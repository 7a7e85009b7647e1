"""The shipped plants, simulated."""

from pathlib import Path

import pytest

from ingest.plant.compile import compile_plan
from ingest.plant.parse import load_plant
from ingest.plant.plan import Plan
from simulator.cement import CementPlant
from simulator.instruments import instruments
from simulator.main import PLANTS

FULL_YEAR = Path(__file__).resolve().parents[3] / "shared" / "data" / "steel" / "Steel_industry_data.csv"


@pytest.fixture(scope="session")
def cement_plan() -> Plan:
    return compile_plan(load_plant(PLANTS / "cement.yaml"))


@pytest.fixture(scope="session")
def steel_plan() -> Plan:
    return compile_plan(load_plant(PLANTS / "steel.yaml"))


@pytest.fixture(scope="session")
def cement(cement_plan: Plan) -> CementPlant:
    return CementPlant(instruments(cement_plan), seed=1)


@pytest.fixture
def full_year() -> Path:
    if not FULL_YEAR.exists():
        pytest.skip(f"needs the whole steel year, {FULL_YEAR}")
    return FULL_YEAR
