"""Rules in a site's ingest on a real database: episodes, events, restarts, revisions, acts and silences."""

import psycopg
import pytest

from tests.ingest.alerts.mill import RULES, Told
from tests.ingest.feeding import SECOND, START, feed, message, open_site
from tests.ingest.test_restate import CHANGED, clock, coming, restated
from tests.ingest.test_restate import PLANT as BEFORE


async def test_an_episode_is_told_once_with_its_cause(dsn: str) -> None:
    mill = Told(dsn)
    await mill.begin()
    for second in range(0, 120, 10):
        await mill.power(second, 700 if second < 20 else 820)
    await mill.power(130, 600)
    assert mill.events() == [("alert.firing", "high", False), ("alert.resolved", "high", False)]
    ((data, at, batch_no),) = mill.rows(
        "SELECT data, occurred_at, batch_no FROM event WHERE type = 'alert.firing'"
    )
    assert data["cause"] == "mill/line/power is 820 kW, above its limit of 800 kW, for 1min."
    assert (data["value"], data["limit"], data["unit"], data["comparison"]) == (820.0, 800.0, "kW", "above")
    assert data["pending_at"] == "2026-11-20T08:00:20Z"
    assert data["fired_at"] == data["at"] == "2026-11-20T08:01:20Z"
    assert data["subject"] == {"kind": "point", "id": "mill/line/power", "window": None}
    assert (data["unit_path"], data["advice"], data["severity"]) == (
        "mill/line",
        "Look at the mill",
        "warning",
    )
    # 20 kW above the limit for a minute, so far.
    assert abs(data["at_stake"]["energy_kwh"] - 20 / 60) < 1e-9
    assert data["at_stake"]["money"] is None
    assert at.isoformat() == "2026-11-20T08:01:20+00:00"
    assert mill.rows(f"SELECT count(*) FROM ingest_commit WHERE batch_no = {batch_no}") == [(1,)]
    ((resolved,),) = mill.rows("SELECT data FROM event WHERE type = 'alert.resolved'")
    assert resolved["cause"] == "mill/line/power is 600 kW, back from above 800 kW, after 1min 50s."
    assert mill.rows("SELECT resolved_at IS NOT NULL, told_at IS NOT NULL FROM alert_episode") == [
        (True, True)
    ]
    await mill.ingest.close()


async def test_a_restart_in_pending_ends_in_the_same_episode(dsn: str, other_dsn: str) -> None:
    found = []
    for mill, restarts in ((Told(dsn), False), (Told(other_dsn), True)):
        await mill.begin()
        for second in range(0, 90, 10):
            await mill.power(second, 820)
            if restarts:
                await mill.ingest.close()
                await mill.begin()
        # An amount is added up in fewer pieces by who was stopped between: equal but for its last digit.
        found.append(mill.rows("SELECT id, occurred_at, data - 'at_stake' FROM event"))
        await mill.ingest.close()
    assert found[0] == found[1]
    assert [row[0] for row in found[0]] == [f"mill.high.{START}.firing"]


async def test_history_is_kept_and_told_to_nobody(dsn: str) -> None:
    mill = Told(dsn)
    await mill.begin()
    await mill.power(0, 700)
    await mill.power(60, 820, now=3600)
    await mill.power(125, 820, now=3601)
    await mill.power(130, 600, now=3602)
    assert mill.events() == [("alert.firing", "high", True), ("alert.resolved", "high", True)]
    assert mill.rows("SELECT mute, told_at FROM alert_episode") == [("historical", None)]
    await mill.ingest.close()


async def test_a_replay_shows_its_alerts_and_tells_no_webhook(dsn: str) -> None:
    mill = Told(dsn, clock="replay")
    await mill.begin()
    for second in range(0, 120, 10):
        await mill.power(second, 700 if second < 20 else 820, now=10**7)
    await mill.power(130, 600, now=10**7)
    await mill.power(140, 600, now=10**7)
    assert mill.events() == [("alert.firing", "high", True), ("alert.resolved", "high", True)]
    # People who watch it see it as told; what an old event says is not said to others as if it were now.
    assert mill.rows("SELECT mute, told_at IS NOT NULL FROM alert_episode") == [(None, True)]
    await mill.ingest.close()


async def test_a_revision_is_a_note_and_judges_nothing_again(dsn: str) -> None:
    mill = Told(dsn)
    await mill.begin()
    for second in range(0, 300, 10):
        await mill.power(second, 820)
    before = mill.rows("SELECT rule, state, pending_us, fired_us FROM alert_state ORDER BY rule")
    late = START + 65 * SECOND
    await feed(mill.ingest, [message("line/power", late, 100.0, received_at=mill.clock.at)])
    assert mill.events() == [("alert.firing", "high", False), ("alert.noted", "high", False)]
    ((data, noted),) = mill.rows(
        "SELECT e.data, noted FROM event e, alert_episode WHERE type = 'alert.noted'"
    )
    assert data["note"] == {
        "intervals": 1, "from": "2026-11-20T08:01:00Z", "to": "2026-11-20T08:02:00Z", "cause": "late",
    }  # fmt: skip
    assert (data["state"], noted) == ("firing", 1)
    assert mill.rows("SELECT rule, state, pending_us, fired_us FROM alert_state ORDER BY rule") == before
    await mill.ingest.close()


async def test_the_end_of_a_rule_ends_its_episode(dsn: str) -> None:
    mill = Told(dsn)
    await mill.begin()
    for second in range(0, 90, 10):
        await mill.power(second, 820)
    await mill.ingest.close()
    again = Told(dsn, "\nalerts: [{id: dead, point: line/setpoint, silent_for: 10min}]\n")
    again.clock.at = mill.clock.at
    await again.begin()
    await again.power(100, 820)
    assert again.events() == [("alert.firing", "high", False), ("alert.resolved", "high", False)]
    ((data,),) = again.rows("SELECT data FROM event WHERE type = 'alert.resolved'")
    assert data["cause"] == "rule high is not in the plant file any more, or watches something else."
    assert again.rows("SELECT rule FROM alert_state WHERE rule = 'high'") == []
    await again.ingest.close()


async def test_data_that_do_not_come_are_told_after_a_restart_too(dsn: str) -> None:
    mill = Told(dsn)
    await mill.begin()
    await mill.power(0, 700)
    await mill.ingest.take([], caught_up=True)
    await mill.ingest.close()
    await mill.begin()
    mill.clock.at = START + 599 * SECOND
    await mill.ingest.take([], caught_up=True)
    assert mill.events() == []
    mill.clock.at = START + 601 * SECOND
    await mill.ingest.take([], caught_up=True)
    assert ("alert.firing", "dead", False) in mill.events()
    await mill.ingest.close()


async def test_a_restatement_is_a_note_too(dsn: str) -> None:
    rule = "\nalerts: [{id: emits, source: line/electricity, window: 1min, above: 0}]\n"
    now = clock()
    ingest = await open_site(dsn, BEFORE + rule, now)
    await feed(ingest, [*coming(), *coming(range(20, 21))], batch=3)
    await ingest.close()
    await (await open_site(dsn, CHANGED + rule, now)).close()
    await restated(dsn, apply=True)
    with psycopg.connect(dsn) as connection:
        notes = connection.execute(
            "SELECT data->'note'->>'cause' FROM event WHERE type = 'alert.noted'"
        ).fetchall()
    assert set(notes) == {("restatement",)}


TARIFF = """
currency: EUR
tariffs:
  - {id: power, carrier: electricity, unit: EUR/MWh, valid_from: %s, meters: [line/energy], trust: P,
     periods: [{name: low, value: 150, hours: ["00:00-09:00"]}, {name: high, value: 250, hours: ["09:00-24:00"]}]}
"""


@pytest.mark.parametrize(
    ("since", "first", "money", "reason"),
    [
        # 20 kW for a minute at 0.25 EUR/kWh: 08:00 UTC is 09:00 in Berlin.
        ("2026-01-01", 20, 20 / 60 * 0.25, None),
        ("2026-01-01", -30, None, "electricity had more than one price in that time"),
        ("2027-01-01", 20, None, "no tariff of electricity that is in force prices a kWh"),
        (None, 20, None, "no tariff in the plant file prices electricity"),
    ],
)
async def test_energy_at_stake_costs_what_its_tariff_says(
    dsn: str, since: str | None, first: int, money: float | None, reason: str | None
) -> None:
    mill = Told(dsn, RULES + ("" if since is None else TARIFF % since))
    await mill.begin()
    for second in range(first - 20, first + 90, 10):
        await mill.power(second, 700 if second < first else 820)
    await mill.ingest.close()
    ((stake,),) = mill.rows("SELECT data->'at_stake' FROM event WHERE type = 'alert.firing'")
    assert abs(stake["energy_kwh"] - 20 / 60) < 1e-9
    assert stake["reason"] == reason
    assert stake["money"] == (None if money is None else pytest.approx(money))
    assert stake["currency"] == (None if money is None else "EUR")
