"""`migrate`: bring a database to the newest schema."""

import typer

from deploy.commands import options
from deploy.database import reached, stored_dsn


def migrate(dsn: options.Dsn = None) -> None:
    """Apply the migrations the database does not have yet."""
    from ingest.store.migrations import migrate as apply

    applied = reached(apply(stored_dsn(dsn)))
    typer.echo("\n".join(applied) if applied else "up to date")
