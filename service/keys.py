"""API keys: named for a person or a system, with scopes and sites, stored hashed.

A key is 256 random bits, so one sha256 is hash enough: there is nothing to
guess and nothing to stretch. The key itself is shown once, when it is made. It
knows no HTTP; the console command and `service.auth` both call it.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from ingest.errors import InputError
from service.store import Connection, row, rows

SCOPES = ("read", "mes", "operate", "admin")
"""read: see; mes: send readings and production; operate: also declare and acknowledge; admin: everything."""

_PREFIX = "sw_"
_LENGTH = len(_PREFIX) + 43
"""256 bits in base64."""
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a key; never the key."""

    key_no: int
    name: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None
    """Ids of the sites it covers; None: all, also those to come."""
    created_at: int
    """µs of UTC."""
    revoked_at: int | None


def digest_of(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


async def create(
    connection: AsyncConnection[Any], name: str, scopes: Sequence[str], sites: Sequence[str] | None
) -> str:
    """Make a key and return it; it cannot be had again.

    Raises:
        InputError: a name that is taken, empty or too long, or a scope that does not exist.
    """
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise InputError(f"key name is {name!r}: expected 1 to {_LONGEST_NAME} characters.")
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        raise InputError(f"scope is {', '.join(wrong) or 'missing'}: expected some of {', '.join(SCOPES)}.")
    key = _PREFIX + secrets.token_urlsafe(32)
    try:
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO api_key (name, digest, scopes, sites) VALUES (%s, %s, %s, %s)",
                [name, digest_of(key), list(scopes), None if sites is None else list(sites)],
            )
    except psycopg.errors.UniqueViolation:
        raise InputError(f"key name {name!r} is taken: expected a name no key has had.") from None
    return key


async def list_all(connection: Connection) -> list[KeyRecord]:
    """Every key ever made, revoked ones too, oldest first."""
    found = await rows(connection, _SELECT.format(sql.SQL("ORDER BY key_no")))
    return [_record(values) for values in found]


async def revoke(connection: Connection, name: str) -> None:
    """Make a key worthless from now on; its row stays, for its name stands in the inbox.

    Raises:
        InputError: no such key in use.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            "UPDATE api_key SET revoked_at = now() WHERE name = %s AND revoked_at IS NULL", [name]
        )
    if cursor.rowcount == 0:
        raise InputError(f"key name is {name!r}: expected the name of a key in use.")


def could_be(key: str) -> bool:
    """Whether a text has the form of a key: what has not is worth no query."""
    return key.startswith(_PREFIX) and len(key) == _LENGTH


async def find(connection: Connection, key: str) -> KeyRecord | None:
    """The record of a key in use, None if there is none."""
    digest = digest_of(key)
    values = await row(
        connection, _SELECT.format(sql.SQL("WHERE digest = %s AND revoked_at IS NULL")), [digest]
    )
    return None if values is None else _record(values)


async def find_number(connection: Connection, key_no: int) -> KeyRecord | None:
    """The record of a key in use by its number, None if there is none."""
    values = await row(
        connection, _SELECT.format(sql.SQL("WHERE key_no = %s AND revoked_at IS NULL")), [key_no]
    )
    return None if values is None else _record(values)


_SELECT = sql.SQL(
    """
    SELECT key_no, name, scopes, sites,
           (extract(epoch FROM created_at) * 1000000)::bigint,
           (extract(epoch FROM revoked_at) * 1000000)::bigint
      FROM api_key
    {}
    """
)


def _record(values: tuple[Any, ...]) -> KeyRecord:
    key_no, name, scopes, sites, created_at, revoked_at = values
    return KeyRecord(
        key_no, name, tuple(scopes), None if sites is None else tuple(sites), created_at, revoked_at
    )
