"""`keys`: who may use the HTTP API."""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands import options
from deploy.database import Connection, on_database
from ingest.errors import InputError

if TYPE_CHECKING:
    from service.known_keys import KeyRecord

app = typer.Typer(help="Keys of the HTTP API.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the key.")]
ValidFor = Annotated[
    str | None, typer.Option(help="How long it works, such as 90d [default: until it is revoked].")
]

_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The person or system it is for.")],
    scope: Annotated[
        list[str],
        typer.Option(help="read, mes, operate or admin, or operate@site; may be given more than once."),
    ],
    site: Annotated[list[str] | None, typer.Option(help="Only this site [default: all].")] = None,
    valid_for: ValidFor = None,
    dsn: options.Dsn = None,
) -> None:
    """Make a key and print it; it is stored hashed and cannot be shown again."""
    from deploy.console import actor
    from service import keys

    expires_at = None if valid_for is None else _now() + _span("--valid-for", valid_for)

    async def work(connection: Connection) -> str:
        return await keys.create(connection, name, scope, site, expires_at=expires_at, actor=actor())

    typer.echo(on_database(dsn, work))


@app.command("rotate")
def rotate(
    name: Name,
    overlap: Annotated[str, typer.Option(help="How long the key before still works.")] = "24h",
    valid_for: Annotated[
        str | None,
        typer.Option(help="How long the new one works [default: as long as the one before was to]."),
    ] = None,
    dsn: options.Dsn = None,
) -> None:
    """Make the successor of a key and print it; both work until the overlap is over."""
    from deploy.console import actor
    from service import keys
    from service.known_keys import list_all

    now = _now()
    ends_at = now + _span("--overlap", overlap)
    expires_at = None if valid_for is None else now + _span("--valid-for", valid_for)

    async def work(connection: Connection) -> str:
        mine = [one for one in await list_all(connection) if one.name == name and one.state(now) == "active"]
        if not mine:
            raise InputError(f"key name is {name!r}: expected the name of a key in use.")
        wanted = keys.successor(mine[-1], expires_at, now)
        key, _ = await keys.rotate(connection, mine[-1], wanted, ends_at, actor())
        return key

    typer.echo(on_database(dsn, work))


@app.command("list")
def list_keys(dsn: options.Dsn = None) -> None:
    """Print every key's name, scopes, sites, age and last use, never the key."""
    from service.known_keys import list_all

    for record in on_database(dsn, list_all):
        typer.echo(_line(record))


@app.command("revoke")
def revoke(name: Name, dsn: options.Dsn = None) -> None:
    """Make a key and its successors worthless from now on."""
    from deploy.console import actor
    from service import keys

    on_database(dsn, lambda connection: keys.revoke(connection, name, actor()))
    typer.echo(f"{name} is revoked")


def _line(record: "KeyRecord") -> str:
    sites = "all sites" if record.sites is None else ",".join(record.sites)
    told = [record.name, ",".join(record.scopes), sites, f"created {_day(record.created_at)}"]
    for word, at in (
        ("expires", record.expires_at),
        ("used", record.last_used_at),
        ("revoked", record.revoked_at),
    ):
        if at is not None:
            told.append(f"{word} {_day(at)}")
    return "  ".join(told)


def _span(name: str, text: str) -> int:
    from service.times import parse_span

    try:
        return parse_span(text)
    except ValueError as error:
        raise InputError(f"{name} is {text!r}: {error}.") from None


def _now() -> int:
    return time.time_ns() // 1000


def _day(at: int) -> str:
    return f"{_UNIX + timedelta(microseconds=at):%Y-%m-%d}"
