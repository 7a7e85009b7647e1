"""When keys were used last: noted in memory, written now and then.

A request costs no write. What was noted since the last writing is lost if the process
is killed: the instant is for finding keys nobody uses, not for evidence.
"""

import asyncio
import logging

from service.store import AWAY, Store
from service.times import to_datetime

log = logging.getLogger("stackwatt.service")

EVERY_S = 60.0
"""How often it is written."""


class KeyUse:
    """The newest use of each key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: dict[int, int] = {}

    def note(self, key_no: int, at: int) -> None:
        """A key was used at an instant, µs."""
        self._noted[key_no] = at

    async def run(self) -> None:
        """Write until cancelled; the database may be away meanwhile."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.write()
            except AWAY as error:
                log.warning("when keys were used is not written: %s", error)

    async def write(self) -> None:
        """Write what was noted since the last time.

        Raises:
            psycopg.Error, PoolTimeout, BusyError: the database is away; nothing noted is lost by it.
        """
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            async with self._store.transaction() as connection:
                await connection.execute(
                    """
                    UPDATE api_key k SET last_used_at = greatest(k.last_used_at, used.at)
                      FROM unnest(%s::int[], %s::timestamptz[]) AS used (key_no, at)
                     WHERE k.key_no = used.key_no
                    """,
                    [list(noted), [to_datetime(at) for at in noted.values()]],
                )
        except AWAY:
            self._noted = {**noted, **self._noted}
            raise
