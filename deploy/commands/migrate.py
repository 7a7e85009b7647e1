"""`migrate`: bring a database to the newest schema."""

import asyncio

import psycopg
import typer

from deploy.commands import options


def migrate(dsn: options.Dsn = None) -> None:
    """Apply the migrations the database does not have yet."""
    from ingest.store.migrations import migrate as apply

    try:
        applied = asyncio.run(apply(options.stored_dsn(dsn)))
    except psycopg.OperationalError as error:
        raise options.unreachable(error) from error
    typer.echo("\n".join(applied) if applied else "up to date")
