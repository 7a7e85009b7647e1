"""Single rows altered, removed, inserted or exchanged behind ingest's back, and what must be told of it.

What must be told is derived here on its own: what a stored row says to each covered table before and after.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import AsyncCursor, sql
from psycopg.errors import GeneratedAlways

from ingest.evidence.verifier.layout import TABLES, Table, key_of, row_bytes

Row = dict[str, Any]
Where = tuple[int, str]
"""tableoid and ctid of a row."""
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00Z")
CLOSED = ("interval", "kpi_value", "emission")
FINAL = ("regime_hour", "regime_hour_history")
HISTORIES = ("interval", "kpi_value", "emission", "ledger", "hour_record", "regime_hour")
SUPERSEDED = ("gap_fill", "document_piece")
MINE = {"point_no": "point", "kpi_no": "kpi", "source_no": "source"}
KEYS = {
    relation: table.key
    for table in TABLES.values()
    if " " not in table.name
    for relation in (table.name, f"{table.name}_history")
}
RELATIONS = sorted(
    {t.name for t in TABLES.values() if " " not in t.name} | {f"{name}_history" for name in HISTORIES}
)


@dataclass(slots=True)
class Told:
    """What a tampering must be told as: of each (batch, covered table) it touches the keys before and after."""

    keys: dict[tuple[int, str], set[tuple[Any, ...]]] = field(default_factory=dict)
    what: str = ""

    def add(self, other: "Told") -> None:
        for place, keys in other.keys.items():
            self.keys.setdefault(place, set()).update(keys)


def table_of(relation: str) -> str:
    """The table of a history, or the table itself."""
    name = relation.removesuffix("_history")
    return name if name in HISTORIES else relation


Elsewhere = dict[str, set[int]]
"""Column → numbers that are another site's."""


def covered(
    relation: str, row: Row | None, elsewhere: Elsewhere
) -> dict[tuple[int, str], tuple[bytes, tuple[Any, ...]]]:
    """(batch, covered table) → canonical bytes and key of what a stored row says to it."""
    name = table_of(relation)
    found: dict[tuple[int, str], tuple[bytes, tuple[Any, ...]]] = {}
    if row is None:
        return found
    owner = next(
        name for name in (*MINE, "site_no") if name in row and (name == "site_no" or name in KEYS[relation])
    )
    if row[owner] in elsewhere[owner]:
        return found
    settled = not (relation in CLOSED and row["revision"] <= 0) and not (
        relation in FINAL and row["provisional"]
    )
    for table in TABLES.values():
        if table.name == name and settled and row["batch_no"] is not None:
            found[row["batch_no"], table.name] = _bytes(table, row)
        if table.name == f"{name} superseded" and row.get("superseded_batch") is not None:
            found[row["superseded_batch"], table.name] = _bytes(table, row)
    return found


def _bytes(table: Table, row: Row) -> tuple[bytes, tuple[Any, ...]]:
    packed = row_bytes(table, [_cell(kind, row[name], row) for name, kind in table.columns.items()])
    return packed, key_of(table, packed)


def _cell(kind: str, value: Any, row: Row) -> Any:
    if value is None or kind == "float":
        return value
    if kind == "instant":
        return (value - EPOCH) // timedelta(microseconds=1)
    return value if kind == "text" else int(value)


def told_of(relation: str, elsewhere: Elsewhere, before: Row | None, after: Row | None) -> Told:
    """What a change of one stored row must be told as; nothing: no covered table says otherwise."""
    old, new = covered(relation, before, elsewhere), covered(relation, after, elsewhere)
    told = Told()
    for place in {*old, *new}:
        if old.get(place, (b"", ()))[0] != new.get(place, (b"", ()))[0]:
            told.keys[place] = {one[1] for one in (old.get(place), new.get(place)) if one is not None}
    return told


class _GoneError(Exception):
    """The row was changed already."""


class Tamperer:
    """Changes rows of one site within the caller's transaction, triggers switched off."""

    def __init__(self, cursor: AsyncCursor, site_no: int, dice: random.Random) -> None:
        self._cursor = cursor
        self.site_no = site_no
        self._dice = dice
        self._elsewhere: Elsewhere = {}
        self._rows: dict[str, list[tuple[Where, Row]]] = {}
        self._stored: dict[str, dict[str, str]] = {}
        """Relation → column → type."""

    async def look(self) -> None:
        """Read every stored row of the site."""
        for key, table in {**MINE, "site_no": "site"}.items():
            await self._cursor.execute(
                f"SELECT {key} FROM {table} WHERE site_no <> %s".encode(), [self.site_no]
            )
            self._elsewhere[key] = {number for (number,) in await self._cursor.fetchall()}
        self._elsewhere["site_no"] |= set(range(-9, 99)) - {self.site_no}
        for relation in RELATIONS:
            await self._cursor.execute(
                "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
                [relation],
            )
            columns: dict[str, str] = dict(await self._cursor.fetchall())
            self._stored[relation] = columns
            mine = next(
                (
                    f"{key} IN (SELECT {key} FROM {MINE[key]} WHERE site_no = %s)"
                    for key in MINE
                    if key in columns
                ),
                "",
            )
            mine = "site_no = %s" if "site_no" in columns else mine
            read = ", ".join(_read(name, kind) for name, kind in columns.items())
            where = [f"{mine}", "batch_no IS NOT NULL"] + (["revision > 0"] if relation in CLOSED else [])
            query = f"SELECT tableoid::int, ctid::text, {read} FROM {relation} WHERE {' AND '.join(where)} ORDER BY 1, 2"
            await self._cursor.execute(query.encode(), [self.site_no])
            self._rows[relation] = [
                ((oid, ctid), dict(zip(columns, cells, strict=True)))
                for oid, ctid, *cells in await self._cursor.fetchall()
            ]

    async def tamper(self) -> Told:
        """One tampering; what must be told of it."""
        while True:
            relation = self._dice.choice([name for name, rows in self._rows.items() if rows])
            place, row = self._dice.choice(self._rows[relation])
            way = self._dice.choice((self._alter, self._alter, self._remove, self._insert, self._exchange))
            try:
                async with self._cursor.connection.transaction() as attempt:
                    told = await way(relation, place, row)
                    if not told.keys:
                        raise psycopg.Rollback(attempt)
            except (psycopg.IntegrityError, psycopg.DataError, GeneratedAlways, _GoneError):
                continue  # the database itself does not let it stand
            if told.keys:
                told.what = f"{way.__name__} {relation} {row}"
                return told

    async def _alter(self, relation: str, place: Where, row: Row) -> Told:
        name, kind = self._dice.choice(list(self._stored[relation].items()))
        return await self._set(relation, place, row, {name: self._other(kind, row[name])})

    async def _exchange(self, relation: str, place: Where, row: Row) -> Told:
        other_place, other = self._dice.choice(self._rows[relation])
        name = self._dice.choice(list(self._stored[relation]))
        if row[name] == other[name] or {**row, name: other[name]} == other:
            return Told()  # which leaves the same rows
        told = await self._set(relation, place, row, {name: other[name]})
        told.add(await self._set(relation, other_place, other, {name: row[name]}))
        return told

    async def _remove(self, relation: str, place: Where, row: Row) -> Told:
        await self._cursor.execute(f"DELETE FROM {relation} WHERE {_AT}".encode(), place)
        if self._cursor.rowcount != 1:
            raise _GoneError
        return told_of(relation, self._elsewhere, row, None)

    async def _insert(self, relation: str, _: Where, row: Row) -> Told:
        """A row like another, but for a column of its key; of `reading` nothing need differ."""
        made = dict(row)
        table = next(table for table in TABLES.values() if table.name == table_of(relation))
        if relation != "reading" or self._dice.random() < 0.5:
            name = self._dice.choice(table.key)
            made[name] = self._other(self._stored[relation][name], row[name])
        columns = sql.SQL(", ").join(map(sql.Identifier, made))
        values = sql.SQL(", ").join(self._value(relation, name) for name in made)
        query = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})")
        await self._cursor.execute(
            query.format(sql.Identifier(relation), columns, values), list(made.values())
        )
        return told_of(relation, self._elsewhere, None, made)

    async def _set(self, relation: str, place: Where, row: Row, new: Row) -> Told:
        sets = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), self._value(relation, name)) for name in new
        )
        query = sql.SQL("UPDATE {} SET {} WHERE " + _AT).format(sql.Identifier(relation), sets)
        await self._cursor.execute(query, [*new.values(), *place])
        if self._cursor.rowcount != 1:
            raise _GoneError
        return told_of(relation, self._elsewhere, row, {**row, **new})

    def _value(self, relation: str, name: str) -> sql.Composable:
        kind = self._stored[relation][name]
        return sql.SQL("decode(%s, 'hex')") if kind == "bytea" else sql.SQL("%s::" + kind)

    def _other(self, kind: str, value: Any) -> Any:
        """Another value of a column, or none."""
        dice = self._dice
        if value is not None and dice.random() < 0.05:
            return None
        match kind:
            case "smallint" | "integer" | "bigint":
                return (value or 0) + dice.choice((-1, 1, 2, 7))
            case "double precision":
                return (value or 0.0) * dice.choice((0.5, 1.0000001)) + dice.choice((0.0, 1e-9, 1.0))
            case "timestamp with time zone":
                return (value or EPOCH) + timedelta(microseconds=dice.choice((1, -1, 60_000_000)))
            case "boolean":
                return not value
            case "jsonb":
                return f'{{"altered": {dice.random()!r}}}'
            case "bytea":
                return (value or "") + "00"
            case "bigint[]" | "text[]":
                return "{7}" if value == "{}" else "{}"
            case _:
                return (value or "") + dice.choice("xyz")


_AT = "tableoid = %s AND ctid = %s::tid"


def _read(name: str, kind: str) -> str:
    if kind == "bytea":
        return f"encode({name}, 'hex')"
    return f"{name}::text" if kind in ("jsonb", "bigint[]", "text[]") else name


def keys_of(findings: Iterable[Any]) -> dict[tuple[int, str], list[set[tuple[Any, ...]]]]:
    """Per (batch, table) the keys each finding names."""
    found: dict[tuple[int, str], list[set[tuple[Any, ...]]]] = {}
    for one in findings:
        keys = {key for key in (one.key, one.was) if key is not None}
        found.setdefault((one.batch_no, one.table), []).append(keys)
    return found
