"""A writer that has lost its site to another: it ends instead of waiting for what cannot come back."""

import asyncio

import pytest

from ingest.errors import StaleEpochError
from tests.ingest.feeding import a_day, feed, open_site, readings
from tests.recovery.proxy import proxied


async def test_a_writer_whose_site_is_held_by_another_ends(dsn: str) -> None:
    messages = list(a_day(0.1))
    async with proxied(dsn) as proxy:
        first = await open_site(proxy.dsn)
        await feed(first, messages[:50])
        proxy.cut_all()
        second = await open_site(dsn)
        with pytest.raises(StaleEpochError, match=r"being written by test; .* so this one stops"):
            await asyncio.wait_for(first.take(messages[50:100], caught_up=False), 20)
        await first.close()
        await feed(second, messages[50:])
        await second.close()
    assert len(readings(dsn)) == len(messages)
