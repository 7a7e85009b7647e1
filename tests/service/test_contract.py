"""The OpenAPI document against the real service: what it describes is what is answered, and nothing ends in a 5xx.

schemathesis makes the requests: every example, every boundary of every parameter, methods no route takes, and
drawn ones. The service listens on a real port over a seeded database. A new route needs nothing here unless its
address has a parameter that `KNOWN` has no values of.

A long run: STACKWATT_CONTRACT_EXAMPLES=300 ./run test tests/service/test_contract.py -n 2
"""

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi import checks as openapi

from service.app import create_app
from service.main import open_listener, serve
from tests.service.conftest import ADMIN_KEY, seeded_database
from tests.service.seeding import NOW

KNOWN: dict[str, list[str | int]] = {
    "site": ["cement", "steel"],
    "point_id": ["cement/kiln/power", "cement/kiln/clinker"],
    "kpi_id": ["cement/power", "cement/electricity-intensity"],
    "instrument_id": ["cement/stack-co2"],
    "source_id": ["cement/kiln/stack"],
    "reconciliation_id": ["cement/kiln-stack"],
    "number": [1],
    "kind": ["shift", "day", "month", "year"],
    "webhook_id": ["cement/mes"],
    "sequence": [1],
    "id": ["cement/electricity-intensity", "cement/kiln/clinker", "cement/electricity"],
    "product_id": ["clinker"],
    "order_id": ["4711", "4712/a"],
    "unit": ["cement/kiln", "kiln"],
    "episode": ["cement.kiln-power.1795161620000000"],
}
"""Values of parameters that lead beyond a 404."""

_NUMBERS = itertools.count()
EXAMPLES = int(os.environ.get("STACKWATT_CONTRACT_EXAMPLES", "5"))
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.unsupported_method,
    openapi.allow_header_conformance,
    openapi.missing_required_header,
]
_CONFIG = schemathesis.Config.from_dict(
    {
        "seed": 1,
        "max-stream-events": 1,
        "dictionaries": {name: {"values": values} for name, values in KNOWN.items()},
        "parameters": {name: {"dictionary": name, "probability": 0.7} for name in KNOWN},
        # What is not there is told before a header that is missing.
        "checks": {"missing_required_header": {"expected-statuses": [400, 401, 403, 404, 406, 415, 422]}},
        "generation": {"max-examples": EXAMPLES, "deterministic": "CI" in os.environ},
    }
)
SCHEMA = schemathesis.openapi.from_dict(create_app("", ADMIN_KEY).openapi(), config=_CONFIG)


@pytest.fixture(scope="module")
def address(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """The service over a database of its own, in a thread with a loop of its own."""
    listener = open_listener("127.0.0.1", 0)
    with seeded_database(postgres_server, migrated_template) as own:
        app, stop, loop = (
            create_app(own.dsn, ADMIN_KEY, now=lambda: NOW),
            asyncio.Event(),
            asyncio.new_event_loop(),
        )
        thread = threading.Thread(target=loop.run_until_complete, args=[serve(app, listener, stop)])
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_every_parameter_of_an_address_has_known_values() -> None:
    names = {
        parameter["name"]
        for path in SCHEMA.raw_schema["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "path"
    }
    assert names - KNOWN.keys() == set()


@SCHEMA.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_described_is_what_is_answered(case: schemathesis.Case[Any], address: str) -> None:
    lead_somewhere(case)
    case.call_and_validate(
        address, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, checks=CHECKS, timeout=60
    )


def lead_somewhere(case: Any) -> None:
    """Put known values where boundaries of something else are tried: these come without the dictionary."""
    headers = case.meta.components.get(ParameterLocation.HEADER)
    if "Idempotency-Key" in case.headers and (headers is None or headers.mode.is_positive):
        case.headers["Idempotency-Key"] = f"contract {next(_NUMBERS)}"
    if case.meta.phase.name is TestPhase.FUZZING:
        return
    which = crc32(repr((case.query, case.body)).encode())  # any, but the same in each run
    for place, values in (
        (ParameterLocation.PATH, case.path_parameters),
        (ParameterLocation.QUERY, case.query),
        (ParameterLocation.BODY, case.body),
    ):
        component = case.meta.components.get(place)
        if isinstance(values, dict) and (component is None or component.mode.is_positive):
            for name in values.keys() & KNOWN.keys():
                values[name] = KNOWN[name][which % len(KNOWN[name])]
