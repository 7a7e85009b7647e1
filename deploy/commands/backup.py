"""`backup` and `restore`: everything the database holds, as one file and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.commands import options
from deploy.database import in_sentences, stored_dsn
from ingest.errors import InputError
from ingest.settings import check_dsn

if TYPE_CHECKING:
    from deploy.backup import Statement

To = Annotated[
    Path, typer.Option("--to", help="File to write; must not exist. FILE.json is written beside it.")
]
From = Annotated[Path, typer.Option("--from", help="File that `backup` wrote, its FILE.json beside it.")]
State = Annotated[
    Path | None,
    typer.Option(help="Instead of --dsn: the embedded PostgreSQL of this folder, for `up --state`."),
]


def backup(to: To, dsn: options.Dsn = None) -> None:
    """Back up the database at one instant; ingest may go on writing.

    The private key of evidence and other keys in files are not in it: keep copies of them elsewhere.
    """
    from deploy.backup import back_up

    address = stored_dsn(dsn)
    with in_sentences():
        statement = back_up(address, to)
    typer.echo(f"{to}: {_told(statement)}")


def restore(from_: From, dsn: options.Dsn = None, state: State = None) -> None:
    """Restore a backup into an empty database, whole or not at all, and compare it with its statement.

    What was acknowledged after the backup is not there. Run `stackwatt verify` before ingest goes on.
    """
    from deploy.restoring import read_statement
    from deploy.restoring import restore as restored

    statement = read_statement(from_)
    with _database(dsn, state) as address, in_sentences():
        restored(address, from_, statement)
    typer.echo(f"restored: {_told(statement)}")


@contextmanager
def _database(dsn: str | None, state: Path | None) -> Iterator[str]:
    """The database given, or the embedded one of a folder while it runs for this."""
    from deploy.account import unprivileged_account
    from deploy.postgres import PostgresServer
    from deploy.state import State as Opened

    if dsn is not None and state is None:
        yield check_dsn(dsn)
    elif state is not None and dsn is None:
        with Opened(state, unprivileged_account()) as opened:
            server = PostgresServer(opened.data, opened.account, log=opened.logs / "postgres.log")
            server.start()
            try:
                yield server.dsn()
            finally:
                server.stop()
    else:
        raise InputError(
            "expected one of --dsn (or STACKWATT_DSN), an empty database, and --state, a new folder"
        )


def _told(statement: "Statement") -> str:
    rows = sum(statement.rows.values())
    return (
        f"{rows} rows in {len(statement.rows)} tables as of {statement.taken_at:%Y-%m-%dT%H:%M:%SZ},"
        f" schema {statement.steps[-1]}"
    )
