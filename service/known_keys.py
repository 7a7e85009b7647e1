"""The keys there are: which one a text is, what is known of it, and until when it is good.

Only digests are stored, so a key is found by its own. Making and ending keys is
`service.keys`' business.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection, sql

from service.store import Connection, row, rows
from service.times import to_datetime

PREFIX = "sw_"
_LENGTH = len(PREFIX) + 43
"""256 bits in base64."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a key; never the key. Instants are µs of UTC."""

    key_no: int
    name: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None
    """Ids of the sites it covers; None: all, also those to come."""
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    """To the minute."""
    succeeds: int | None
    """Number of the key it follows."""
    succeeded_by: int | None

    def state(self, now: int) -> str:
        """What it is worth at an instant: `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.expires_at is None or self.expires_at > now else "expired"


def digest_of(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


async def list_all(connection: AsyncConnection[Any]) -> list[KeyRecord]:
    """Every key ever made, revoked ones too, oldest first."""
    found = await rows(connection, _SELECT.format(sql.SQL("ORDER BY k.key_no")))
    return [_record(values) for values in found]


async def of_number(connection: AsyncConnection[Any], key_no: int) -> KeyRecord | None:
    """The record of a key, in use or not; None: there is none."""
    values = await row(connection, _SELECT.format(sql.SQL("WHERE k.key_no = %s")), [key_no])
    return None if values is None else _record(values)


def could_be(key: str) -> bool:
    """Whether a text has the form of a key: what has not is worth no query."""
    return key.startswith(PREFIX) and len(key) == _LENGTH


async def find(connection: Connection, key: str, now: int) -> KeyRecord | None:
    """The record of a key in use, None if there is none."""
    return await _in_use(connection, sql.SQL("k.digest = %s"), digest_of(key), now)


async def find_number(connection: Connection, key_no: int, now: int) -> KeyRecord | None:
    """The record of a key in use by its number, None if there is none."""
    return await _in_use(connection, sql.SQL("k.key_no = %s"), key_no, now)


async def _in_use(connection: Connection, which: sql.SQL, value: bytes | int, now: int) -> KeyRecord | None:
    end = sql.SQL("AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s)")
    where = sql.SQL("WHERE {} {}").format(which, end)
    values = await row(connection, _SELECT.format(where), [value, to_datetime(now)])
    return None if values is None else _record(values)


_SELECT = sql.SQL(
    """
    SELECT k.key_no, k.name, k.scopes, k.sites,
           (extract(epoch FROM k.created_at) * 1000000)::bigint,
           (extract(epoch FROM k.expires_at) * 1000000)::bigint,
           (extract(epoch FROM k.revoked_at) * 1000000)::bigint,
           (extract(epoch FROM k.last_used_at) * 1000000)::bigint,
           k.succeeds, n.key_no
      FROM api_key k LEFT JOIN api_key n ON n.succeeds = k.key_no
    {}
    """
)


def _record(values: tuple[Any, ...]) -> KeyRecord:
    key_no, name, scopes, sites, *rest = values
    return KeyRecord(key_no, name, tuple(scopes), None if sites is None else tuple(sites), *rest)
