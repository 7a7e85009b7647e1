"""Signed statements by HTTP: they check without the database, and join to the whole."""

from typing import Any

import httpx

from ingest.evidence.verifier.signature import is_valid
from service.evidence_hours import EvidencePage
from tests.ingest.evidence.test_evidence import fed
from tests.ingest.evidence.world import signer
from tests.ingest.feeding import START
from tests.ingest.feeding import Clock as IngestClock
from tests.service.conftest import Clock, admin_client
from tests.service.seeding import text
from tests.service.test_routes import problem_of

HOURS = "/v1/evidence/mill/hours"
HOUR = 3_600_000_000
SPAN = {"from": text(START), "to": text(START + 5 * HOUR)}


async def test_statements_check_by_themselves(dsn: str) -> None:
    clock = IngestClock()
    await fed(dsn, clock, 1)
    await fed(dsn, clock, 3, signer())
    now = Clock()
    now.now = START + 5 * HOUR
    async with admin_client(dsn, now) as client:
        whole = await told(client)
        assert [item["from"] for item in whole["items"]] == [text(START + n * HOUR) for n in range(3)]
        for item in whole["items"]:
            assert is_valid(
                bytes.fromhex(item["public_key"]),
                item["statement"].encode(),
                bytes.fromhex(item["signature"]),
            )
            assert item["statement"].splitlines()[1:3] == ["site mill", f"hour {_us(item['from'])}"]
            assert f"root {item['root']}" in item["statement"]
        assert whole["items"][1]["first_batch"] == whole["items"][0]["last_batch"] + 1
        first = await told(client, limit=2)
        assert first["items"] + (await told(client, limit=2, cursor=first["next"]))["items"] == whole["items"]
        none = await client.get("/v1/evidence/none/hours", params=SPAN)
        assert problem_of(none).type.rpartition(":")[2] == "unknown-site"


async def told(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    response = await client.get(HOURS, params={**SPAN, **asked})
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    EvidencePage.model_validate(page)
    return page


def _us(instant: str) -> int:
    return next(START + n * HOUR for n in range(3) if text(START + n * HOUR) == instant)
