"""API keys: named for a person or a system, with scopes and sites, stored hashed.

A key is 256 random bits, so one sha256 is hash enough: there is nothing to
guess and nothing to stretch. The key itself is shown once, when it is made. A
successor has the name of the key it follows, for a name stands for one person,
and both work until the older one ends. Every change leaves its line in the audit
log. It knows no HTTP; the console command and the routes both call it.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import psycopg
from psycopg import AsyncConnection, sql

from ingest.errors import InputError
from ingest.model import DAY
from ingest.store.audit import CONSOLE, Actor, Change, record
from service.known_keys import PREFIX, KeyRecord, digest_of, list_all, of_number
from service.store import row
from service.times import format_instant, to_datetime

SCOPES = ("read", "mes", "operate", "admin")
"""read: see; mes: send readings and production; operate: also declare and acknowledge; admin: everything."""
SCOPE = re.compile(rf"({'|'.join(SCOPES)})(@[a-z0-9_-]{{1,100}})?")
"""A scope, or `scope@site` for that site only."""

OVERLAP_US = DAY
"""How long a key works beside its successor, where nothing else is said."""
LONGEST_NAME = 100
RESERVED = frozenset({"admin", "console", "ingest", "import", "rejected replay"})
"""What audit and inbox call others than keys: the key of the settings, a console, ingest, and what these two put in."""


@dataclass(frozen=True, slots=True)
class Made:
    """A request that makes a key."""

    idempotency_key: str
    digest: bytes
    """What tells it from every other."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key to be made."""

    name: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None = None
    expires_at: int | None = None
    """µs; None: never."""
    succeeds: int | None = None
    by: Made | None = None
    """None: the console."""

    def check(self) -> None:
        """Refuse what is no key.

        Raises:
            InputError: a name that is empty, too long or reserved, a scope that does not exist, no site at all.
        """
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            raise InputError(f"key name is {self.name!r}: expected 1 to {LONGEST_NAME} characters.")
        if self.succeeds is None and " ".join(self.name.casefold().split()) in RESERVED:
            raise InputError(
                f"key name {self.name!r} stands for stackwatt itself: expected that of a person or system."
            )
        wrong = [scope for scope in self.scopes if SCOPE.fullmatch(scope) is None]
        if wrong or not self.scopes:
            expected = f"some of {', '.join(SCOPES)}, each for all sites of the key or as scope@site"
            raise InputError(f"scope is {', '.join(wrong) or 'missing'}: expected {expected}.")
        if self.sites is not None and not self.sites:
            raise InputError("sites are none: expected at least one, or nothing for all.")


async def create(
    connection: AsyncConnection[Any],
    name: str,
    scopes: Sequence[str],
    sites: Sequence[str] | None,
    *,
    expires_at: int | None = None,
    actor: Actor = CONSOLE,
) -> str:
    """Make a key and return it; it cannot be had again.

    Raises:
        InputError: a name that is taken, or what `Wanted.check` refuses.
    """
    wanted = Wanted(name, tuple(scopes), None if sites is None else tuple(sites), expires_at)
    return (await make(connection, wanted, actor))[0]


async def make(connection: AsyncConnection[Any], wanted: Wanted, actor: Actor) -> tuple[str, KeyRecord]:
    """Make a key; the key, which cannot be had again, and its record.

    Raises:
        InputError: as `create`, or the key to be succeeded has a successor.
    """
    wanted.check()
    key = PREFIX + secrets.token_urlsafe(32)
    columns = {
        "name": wanted.name,
        "digest": digest_of(key),
        "scopes": list(wanted.scopes),
        "sites": None if wanted.sites is None else list(wanted.sites),
        "expires_at": None if wanted.expires_at is None else to_datetime(wanted.expires_at),
        "succeeds": wanted.succeeds,
        "idempotency_key": None if wanted.by is None else wanted.by.idempotency_key,
        "request": None if wanted.by is None else wanted.by.digest,
    }
    query = sql.SQL("INSERT INTO api_key ({}) VALUES ({}) RETURNING key_no").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join(sql.Placeholder() * len(columns))
    )
    try:
        async with connection.transaction():
            [key_no] = await row(connection, query, list(columns.values())) or [0]
            made = await of_number(connection, key_no)
            assert made is not None
            what = "key.created" if made.succeeds is None else "key.rotated"
            await record(connection, actor, Change(what, _subject(made), after=_shown(made)))
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "api_key_succeeds_key":
            raise InputError(
                f"key {wanted.name!r} has a successor: expected the newest of its name."
            ) from None
        raise InputError(f"key name {wanted.name!r} is taken: expected a name no key has had.") from None
    return key, made


async def rotate(
    connection: AsyncConnection[Any],
    old: KeyRecord,
    wanted: Wanted,
    ends_at: int,
    actor: Actor,
) -> tuple[str, KeyRecord]:
    """Make the successor of a key in use, which itself works no longer than to `ends_at`, µs.

    Raises:
        InputError: it has a successor already.
    """
    until = ends_at if old.expires_at is None else min(ends_at, old.expires_at)
    async with connection.transaction():
        key, made = await make(connection, replace(wanted, succeeds=old.key_no), actor)
        await connection.execute(
            "UPDATE api_key SET expires_at = %s WHERE key_no = %s", [to_datetime(until), old.key_no]
        )
        change = Change(
            "key.expiring", _subject(old), None, _shown(old), _shown(replace(old, expires_at=until))
        )
        await record(connection, actor, change)
    return key, made


def successor(old: KeyRecord, expires_at: int | None, now: int) -> Wanted:
    """What follows a key: as it is, and to last as long as it was to, where no other end is given."""
    if expires_at is None and old.expires_at is not None:
        expires_at = now + (old.expires_at - old.created_at)
    return Wanted(old.name, old.scopes, old.sites, expires_at)


async def revoke(connection: AsyncConnection[Any], name: str, actor: Actor = CONSOLE) -> None:
    """Make a key and its successors worthless from now on; rows stay, for the name stands in the inbox.

    Raises:
        InputError: no such key in use.
    """
    in_use = [one for one in await list_all(connection) if one.name == name and one.revoked_at is None]
    if not in_use:
        raise InputError(f"key name is {name!r}: expected the name of a key in use.")
    for one in in_use:
        await revoke_number(connection, one.key_no, actor)


async def revoke_number(connection: AsyncConnection[Any], key_no: int, actor: Actor) -> bool:
    """Make one key worthless from now on; False: it was so already."""
    async with connection.transaction():
        cursor = await connection.execute(
            "UPDATE api_key SET revoked_at = now() WHERE key_no = %s AND revoked_at IS NULL", [key_no]
        )
        if cursor.rowcount == 0:
            return False
        ended = await of_number(connection, key_no)
        assert ended is not None
        before = _shown(replace(ended, revoked_at=None))
        await record(connection, actor, Change("key.revoked", _subject(ended), None, before, _shown(ended)))
    return True


async def of_request(connection: AsyncConnection[Any], by: Made) -> KeyRecord | Literal[False] | None:
    """The key that the same request has made; None: none yet; False: its Idempotency-Key made another."""
    values = await row(
        connection,
        "SELECT key_no, request = %s FROM api_key WHERE idempotency_key = %s",
        [by.digest, by.idempotency_key],
    )
    if values is None:
        return None
    return await of_number(connection, values[0]) if values[1] else False


def reach(scopes: Sequence[str], sites: Sequence[str] | None) -> frozenset[str] | None:
    """The sites where a key may do anything; None: all."""
    where = frozenset(scope.partition("@")[2] for scope in scopes)
    if "" in where:
        return None if sites is None else frozenset(sites)
    return where if sites is None else where & frozenset(sites)


def _subject(key: KeyRecord) -> str:
    return f"key {key.key_no} {key.name}"


def _shown(key: KeyRecord) -> dict[str, Any]:
    """A key in the audit log."""
    told = {name: getattr(key, name) for name in ("scopes", "sites", "expires_at", "revoked_at", "succeeds")}
    return told | {
        name: None if told[name] is None else format_instant(told[name])
        for name in ("expires_at", "revoked_at")
    }
