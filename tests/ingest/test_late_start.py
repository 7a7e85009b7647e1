"""Points that begin at different times: KPIs and sources of those that were there first lose nothing."""

from tests.ingest.feeding import SECOND, START, feed, figures, message, open_site


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
