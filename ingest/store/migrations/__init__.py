"""Forward-only migrations: numbered SQL files, each applied once, in one transaction.

`0002_reading.plain.sql` and `0002_reading.timescaledb.sql` are the same step for
the two engines. There is no way down: a wrong step is mended by the next one.
"""

from importlib import resources

from ingest.store.engine import detect, install_extension
from ingest.store.session import connected

MIGRATION_LOCK = 0x5741_5454_0000
"""Advisory lock: two processes that start at once migrate one after the other."""


async def migrate(dsn: str) -> list[str]:
    """Bring the database to the newest schema and return the steps it took.

    Raises:
        psycopg.Error: the database cannot be reached, or refuses a step; nothing of that step stays.
    """
    applied: list[str] = []
    async with await connected(dsn) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        await connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migration (
                step       text        PRIMARY KEY,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
        cursor = await connection.execute("SELECT step FROM schema_migration")
        done = {step for (step,) in await cursor.fetchall()}
        if not done:  # tables made without it stay what they are, also where the server offers it later
            await install_extension(connection)
        engine = await detect(connection)
        for step, text in steps(engine.name):
            if step in done:
                continue
            async with connection.transaction():
                await connection.execute(text.encode())
                await connection.execute("INSERT INTO schema_migration (step) VALUES (%s)", [step])
            applied.append(step)
    return applied


def steps(engine: str) -> list[tuple[str, str]]:
    """The steps of one engine in order, as (name without engine, SQL)."""
    found = []
    for file in sorted(resources.files(__name__).iterdir(), key=lambda file: file.name):
        parts = file.name.split(".")
        if parts[-1] != "sql" or (len(parts) == 3 and parts[1] != engine):
            continue
        found.append((parts[0], file.read_text(encoding="utf-8")))
    return found
