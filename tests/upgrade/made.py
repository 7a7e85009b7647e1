"""A small database of the schema as it is, as SQL: what a later version is upgraded from in tests.

With each release, and before a migration that rewrites rows:

    .venv/bin/python -m tests.upgrade.made

It writes `NNNN_step.sql` here, named by the newest step, and overwrites nothing. Files of earlier
versions stay; each was filled by the code of its own version.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import psycopg

from deploy.account import open_state, unprivileged_account
from deploy.postgres import PostgresServer
from ingest.store.migrations import migrate
from tests.ingest.evidence.world import signer
from tests.ingest.feeding import PLANT, SECOND, Clock, a_day, feed, message, open_site
from tests.schema import dumped

FOLDER = Path(__file__).parent
STEP_S = 30


async def fill(dsn: str) -> None:
    """Migrate, and store a few minutes of the mill: closed intervals, a revision, something refused."""
    await migrate(dsn)
    clock = Clock()
    ingest = await open_site(dsn, PLANT, clock, signer())
    messages = list(a_day(0.1, STEP_S))
    late = messages.pop(10)
    await feed(ingest, messages)
    refused = message("line/unknown", clock.at, 1.0)
    clock.at += 3600 * SECOND
    await feed(ingest, [late, refused])
    await ingest.close()


def main() -> None:
    """Write the file."""
    home = Path(tempfile.mkdtemp(prefix="stackwatt-"))
    open_state(home, unprivileged_account())
    server = PostgresServer(home, unprivileged_account(), durable=False)
    server.start()
    try:
        asyncio.run(fill(server.dsn()))
        with psycopg.connect(server.dsn()) as connection:
            newest = connection.execute("SELECT max(step) FROM schema_migration").fetchone()
        assert newest is not None
        with (FOLDER / f"{newest[0]}.sql").open("x", encoding="utf-8") as file:
            file.write(dumped(server.dsn(), "--inserts", "--rows-per-insert=50"))
        sys.stdout.write(f"{file.name}\n")
    finally:
        server.stop()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
