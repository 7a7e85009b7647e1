"""The database a command works on: which one, and one sentence when it is away.

Only for what is done once at a console. The processes have pools of their own
and wait for a database instead of giving up.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from ingest.errors import InputError, StackwattError
from ingest.settings import check_dsn

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
T = TypeVar("T")


def stored_dsn(given: str | None, state: Path = Path(".state")) -> str:
    """The database to work on: the one given, else the embedded one of `./.state`."""
    if given is not None:
        return check_dsn(given)
    file = state / "endpoints.json"
    try:
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"no database: give one by --dsn or STACKWATT_DSN, or run where ./run up has left {file}"
        ) from error
    return str(body["dsn"])


def on_database(dsn: str | None, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run `work` on one connection, each statement its own transaction."""

    async def connected() -> T:
        async with await psycopg.AsyncConnection.connect(stored_dsn(dsn), autocommit=True) as connection:
            return await work(connection)

    return reached(connected())


def reached(work: Awaitable[T]) -> T:
    """The outcome of work on the database; one sentence where it is not there or has no schema."""

    async def awaited() -> T:
        return await work

    with in_sentences():
        return asyncio.run(awaited())


@contextmanager
def in_sentences() -> Iterator[None]:
    """One sentence where the database is not there or has no schema."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise StackwattError(f"the database cannot be reached: {' '.join(str(error).split())}") from error
    except psycopg.errors.UndefinedTable as error:
        raise StackwattError("the database has no schema yet: run `stackwatt migrate`") from error
