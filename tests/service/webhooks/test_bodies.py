"""The three bodies: whatever an event holds, each is what its format asks for."""

import json
import os
import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier

from ingest.model import DAY, SECOND
from ingest.plant.webhooks import EVENT_TYPES, Webhook, matches
from service.webhooks.alertmanager import fingerprint
from service.webhooks.bodies import TEST, Message, composed
from service.webhooks.schedule import Schedule, parse_retry_after
from service.webhooks.signing import SecretError, secrets_of, signed
from tests.service.webhooks.alertmanager_reader import read
from tests.service.webhooks.conftest import Bench
from tests.service.webhooks.receiving import SECRET, Receiver, alert, apply_plant, tell, webhook

OCCURRED = 1_795_161_600 * SECOND
NAMES = st.sampled_from(sorted(alert(1))) | st.text(max_size=10)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
DATA = st.dictionaries(NAMES, ANYTHING, max_size=8).map(lambda odd: {**alert(1), **odd})


def said(
    form: str, data: Any, kind: str = "alert.firing", public_url: str = "https://watt.example/"
) -> bytes:
    return composed(form, Message("evt_1", kind, "ep-1", OCCURRED, 7, data), "mill", "mill/mes", public_url)[
        1
    ]


def test_an_alert_as_alertmanager_sends_it() -> None:
    document = read(said("alertmanager", alert(1)))
    [one] = document["alerts"]
    assert one["labels"] == {
        "alertname": "demand-high", "kind": "threshold", "severity": "warning", "site": "mill", "unit_path": "kiln",
        "subject_kind": "kpi", "subject_id": "mill/demand", "subject_window": "15min",
    }  # fmt: skip
    assert (one["status"], one["startsAt"], one["endsAt"]) == (
        "firing",
        "2026-11-30T08:14:58Z",
        "0001-01-01T00:00:00Z",
    )
    assert one["generatorURL"] == "https://watt.example/?alert=ep-1"
    told = one["annotations"]
    assert told["summary"] == "Demand is 561 kW, above 550 kW, for 1 min."
    assert told["advice"] == "Delay the next charge."
    stakes = (told["value"], told["limit"], told["unit"], told["at_stake_co2_t"], told["at_stake_money"])
    assert stakes == ("561.25", "550.0", "kW", "0.006", "410.0")
    assert document["groupKey"].startswith('{}:{alertname="demand-high", kind="threshold"')


def test_a_resolved_alert_is_the_same_alert() -> None:
    firing = read(said("alertmanager", alert(1)))
    ended = alert(2, state="resolved", resolved_at="2026-11-30T08:30:00Z")
    resolved = read(said("alertmanager", ended, "alert.resolved"))
    assert (resolved["status"], resolved["alerts"][0]["endsAt"]) == ("resolved", "2026-11-30T08:30:00Z")
    assert resolved["groupKey"] == firing["groupKey"]
    assert resolved["alerts"][0]["fingerprint"] == firing["alerts"][0]["fingerprint"]


def test_fingerprints_are_fnv_1a() -> None:
    # Of no labels: the offset basis of the 64-bit hash, as its definition has it.
    assert fingerprint({}) == "cbf29ce484222325"
    found = 0xCBF29CE484222325
    for byte in b"a\xffb\xff":
        found = ((found ^ byte) * 1099511628211) % 2**64
    assert fingerprint({"a": "b"}) == f"{found:016x}"


@given(DATA, st.sampled_from([kind for kind in EVENT_TYPES if kind.startswith("alert.")] + [TEST]))
def test_whatever_an_event_holds_alertmanagers_body_is_one(data: dict[str, Any], kind: str) -> None:
    read(said("alertmanager", data, kind))


@given(DATA | ANYTHING, st.sampled_from(EVENT_TYPES))
def test_whatever_an_event_holds_a_cloud_event_is_one(data: Any, kind: str) -> None:
    document = json.loads(said("cloudevents", data, kind))
    assert set(document) == {
        "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "sequence", "data",
    }  # fmt: skip
    # Names of attributes are lower-case letters and digits, required ones are texts that are not empty.
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in document)
    assert all(isinstance(document[name], str) and document[name] for name in set(document) - {"data"})
    assert (document["specversion"], document["id"], document["sequence"]) == ("1.0", "evt_1", f"{7:020d}")
    assert (document["type"], document["source"]) == (f"stackwatt.{kind}", "https://watt.example/sites/mill")
    assert datetime.fromisoformat(document["time"]) == datetime.fromtimestamp(OCCURRED // SECOND, UTC)


@given(DATA | ANYTHING)
def test_the_native_body_holds_the_data_as_they_are(data: Any) -> None:
    document = json.loads(said("native", data, public_url=""))
    assert document["data"] == data
    assert list(document) == ["id", "type", "timestamp", "site", "stream", "sequence", "data"]


@pytest.mark.parametrize(
    ("form", "media_type"),
    [
        ("native", "application/json"),
        ("alertmanager", "application/json"),
        ("cloudevents", "application/cloudevents+json"),
    ],
)
async def test_every_body_goes_out_signed_with_its_sequence(
    bench: Bench, receiver: Receiver, form: str, media_type: str
) -> None:
    site = apply_plant(bench.dsn, [webhook(receiver.url, body=form, events=["alert.*"])])
    with psycopg.connect(bench.dsn) as connection:
        for number in range(3):
            tell(connection, site, f"evt_{number}", data=alert(number))
    await bench.round()
    assert sorted(got.headers["stackwatt-sequence"] for got in receiver.got) == ["1", "2", "3"]
    for got in receiver.got:
        Verifier(SECRET).verify(got.body, dict(got.headers))
        assert got.headers["content-type"] == media_type
        if form == "alertmanager":
            read(got.body)


@given(st.binary(min_size=24, max_size=64), st.text(st.characters(codec="utf-8"), max_size=50))
def test_signatures_are_those_of_the_library(secret: bytes, text: str) -> None:
    body = json.dumps(text, ensure_ascii=False).encode()
    now = datetime.now(UTC)
    headers = signed("evt_1", int(now.timestamp()), body, [secret])
    assert Verifier(secret).verify(body, headers) == text
    assert Verifier(secret).sign("evt_1", now, body.decode()) == headers["webhook-signature"]


def test_a_secret_is_read_from_a_file_each_time(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    entry = Webhook.model_validate(
        {"id": "mes", "url": "https://mes.example/", "secret_file": str(file), "events": ["*"]}
    )
    with pytest.raises(SecretError, match=r"cannot be read: No such file or directory\.$"):
        secrets_of(entry, {})
    os.mkfifo(file)
    with pytest.raises(SecretError, match=r"cannot be read: it is no regular file\.$"):
        secrets_of(entry, {})
    file.unlink()
    file.write_text(SECRET + "\n")
    assert secrets_of(entry, {}) == [bytes(range(32))]
    for wrong in (
        "",
        "hunter2",
        "whsec_",
        "whsec_" + "A" * 31,
        SECRET.removeprefix("whsec_"),
        "whsec_" + "A" * 999,
        "ü",
    ):
        file.write_text(wrong)
        with pytest.raises(
            SecretError, match=r"is none: expected whsec_ and 24 to 64 bytes in base64\.$"
        ) as caught:
            secrets_of(entry, {})
        assert not wrong or wrong not in str(caught.value).replace("whsec_ and", "")


@given(st.text(max_size=40))
def test_a_retry_after_is_an_instant_or_nothing(text: str) -> None:
    found = parse_retry_after(text, OCCURRED)
    assert found is None or found >= 0


def test_a_retry_after_may_be_a_date() -> None:
    now = datetime.fromtimestamp(OCCURRED // SECOND, UTC)
    assert (
        parse_retry_after(format_datetime(now + timedelta(minutes=2), usegmt=True), OCCURRED) == 120 * SECOND
    )
    assert parse_retry_after(format_datetime(now - timedelta(minutes=2), usegmt=True), OCCURRED) == 0
    assert parse_retry_after(" 120 ", OCCURRED) == 120 * SECOND


@given(st.integers(1, 12), st.none() | st.integers(0, 10**15), st.integers())
def test_waits_grow_vary_and_end(tries: int, asked: int | None, seed: int) -> None:
    schedule = Schedule()
    wait = schedule.after(tries, asked, random.Random(seed))
    if tries > 9:
        assert wait is None
        return
    assert wait is not None
    step = schedule.waits[tries - 1]
    if asked is None or asked < step * 0.9:
        assert step * 0.9 - 1 <= wait <= step * 1.1 + 1
    else:
        assert min(asked, DAY) <= wait <= max(min(asked, DAY), step * 1.1 + 1)


@pytest.mark.parametrize(
    ("pattern", "kind", "meant"),
    [
        ("*", "anything.at.all", True),
        ("alert.*", "alert.firing", True),
        ("alert.*", "alert", False),
        ("alert.*", "alerts.firing", False),
        ("alert.firing", "alert.firing", True),
        ("alert.firing", "alert.firing.again", False),
        ("order.footprint.*", "order.footprint.ready", True),
        ("al*", "alert.firing", False),
        ("alert.*.x", "alert.firing.x", False),
        ("", "alert.firing", False),
    ],
)
def test_patterns_mean_whole_words(pattern: str, kind: str, meant: bool) -> None:
    assert matches(pattern, kind) is meant
