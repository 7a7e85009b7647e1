"""`keys`: who may use the HTTP API."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from deploy.commands import options
from deploy.database import on_database

app = typer.Typer(help="Keys of the HTTP API.", no_args_is_help=True)

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The person or system it is for.")],
    scope: Annotated[
        list[str], typer.Option(help="read, mes, operate or admin; may be given more than once.")
    ],
    site: Annotated[list[str] | None, typer.Option(help="Only this site [default: all].")] = None,
    dsn: options.Dsn = None,
) -> None:
    """Make a key and print it; it is stored hashed and cannot be shown again."""
    from service import keys

    typer.echo(on_database(dsn, lambda connection: keys.create(connection, name, scope, site)))


@app.command("list")
def list_all(dsn: options.Dsn = None) -> None:
    """Print every key's name, scopes, sites and age, never the key."""
    from service import keys

    for record in on_database(dsn, keys.list_all):
        sites = "all sites" if record.sites is None else ",".join(record.sites)
        revoked = "" if record.revoked_at is None else f"  revoked {_day(record.revoked_at)}"
        typer.echo(
            f"{record.name}  {','.join(record.scopes)}  {sites}  created {_day(record.created_at)}{revoked}"
        )


@app.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="Name of the key.")], dsn: options.Dsn = None) -> None:
    """Make a key worthless from now on."""
    from service import keys

    on_database(dsn, lambda connection: keys.revoke(connection, name))
    typer.echo(f"{name} is revoked")


def _day(at: int) -> str:
    return f"{_UNIX + timedelta(microseconds=at):%Y-%m-%d}"
