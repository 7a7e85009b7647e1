"""Points that begin at different times: KPIs and sources of those that were there first lose nothing."""

from tests.ingest.feeding import PLANT, SECOND, START, feed, figures, message, open_site


async def test_an_input_that_begins_minutes_after_the_others(dsn: str, other_dsn: str) -> None:
    energy = [message("line/energy", START + n * 5 * SECOND, n * 0.5) for n in range(120)]
    mass = [message("line/mass", START + n * 5 * SECOND, n * 0.25) for n in range(45, 120)]
    together = await open_site(dsn)
    await feed(together, energy + mass, batch=1000)
    await together.close()
    apart = await open_site(other_dsn)
    await feed(apart, sorted(energy + mass, key=lambda one: one.received_at), batch=1)
    await apart.close()
    assert figures(dsn) == figures(other_dsn)
    kpis = figures(dsn)["kpi_value"]
    assert len([row for row in kpis if row[0] == "mill/line/co2"]) == 9
    assert len([row for row in kpis if row[0] == "mill/line/intensity"]) == 6


async def test_a_computed_point_that_reads_one_input_twice(dsn: str, other_dsn: str) -> None:
    twice = PLANT.replace(
        "inputs: {a: line/power, b: line/setpoint}", "inputs: {a: line/power, b: line/power}"
    )
    power = [message("line/power", START + n * 10 * SECOND, float(n * n % 17)) for n in range(60)]
    straight = await open_site(dsn, twice)
    await feed(straight, power)
    await straight.close()
    crooked = await open_site(other_dsn, twice)
    await feed(crooked, [*power[:12], *power[20:], *power[12:20]], batch=5)
    await crooked.close()
    assert figures(dsn) == figures(other_dsn)
    assert len([row for row in figures(dsn)["interval"] if row[0] == "mill/line/doubled"]) == 9
