"""Lines of a bundle altered, removed, inserted or moved to another batch, and what must be told of it."""

import json
import random
from typing import Any

from ingest.evidence.verifier.bundle import rows_of
from ingest.evidence.verifier.layout import TABLES, Table, key_of, row_bytes
from tests.ingest.evidence.tampering import Told

Line = list[Any]
MEMBERS = {rows_of(table): table for table in TABLES.values()}
NOTES = "notes.jsonl"


def tampered(bundle: dict[str, bytes], dice: random.Random, most: int) -> tuple[dict[str, bytes], list[Told]]:
    """A copy of a bundle with so many tamperings, no two of the same table of the same batch."""
    members = dict(bundle)
    named = [name for name in bundle if name in MEMBERS or name == NOTES]
    made: list[Told] = []
    touched = set[tuple[int, str]]()
    while len(made) < most:
        name = dice.choice(named)
        table = MEMBERS.get(name, TABLES[26])
        lines: list[Line] = [json.loads(line) for line in members[name].splitlines()]
        if not lines:
            continue
        told = Told()
        way = dice.choice((_alter, _alter, _remove, _insert, _move))
        after = way(lines, table, dice, told)
        told.what = f"{way.__name__} {name} {told.what}"
        if not told.keys or touched & set(told.keys):
            continue
        touched |= set(told.keys)
        made.append(told)
        # By batch, as an export has them: a line out of its place would be told as well.
        spelt = (
            json.dumps(line, ensure_ascii=False) for line in sorted(after, key=lambda line: int(line[0]))
        )
        members[name] = "".join(f"{line}\n" for line in spelt).encode()
    return members, made


def _told(table: Table, told: Told, before: Line | None, after: Line | None) -> None:
    rows = [None if line is None else row_bytes(table, line[1:]) for line in (before, after)]
    if before is not None and after is not None and before[0] == after[0] and rows[0] == rows[1]:
        return
    for line, row in zip((before, after), rows, strict=True):
        if line is not None and row is not None:
            told.keys.setdefault((line[0], table.name), set()).add(key_of(table, row))
    told.what = f"{before} → {after}"


def _alter(lines: list[Line], table: Table, dice: random.Random, told: Told) -> list[Line]:
    place = dice.randrange(len(lines))
    line = list(lines[place])
    column = dice.randrange(1, len(line))
    kind = list(table.columns.values())[column - 1]
    cell = line[column]
    match kind:
        case "float":
            line[column] = dice.choice((1.5, -0.0)) if cell in (None, "NaN") else cell * 1.0000001 + 1e-300
        case "text":
            line[column] = f"{cell or ''}."
        case _:
            line[column] = (cell or 0) + dice.choice((1, -1, 60_000_000))
    if cell is not None and dice.random() < 0.05:
        line[column] = None
    _told(table, told, lines[place], line)
    return [*lines[:place], line, *lines[place + 1 :]]


def _remove(lines: list[Line], table: Table, dice: random.Random, told: Told) -> list[Line]:
    place = dice.randrange(len(lines))
    _told(table, told, lines[place], None)
    return [*lines[:place], *lines[place + 1 :]]


def _insert(lines: list[Line], table: Table, dice: random.Random, told: Told) -> list[Line]:
    """The same line twice, or a line like it under a batch that there is not."""
    line = list(dice.choice(lines))
    if dice.random() < 0.3:
        line[0] = 1000 + dice.randrange(1000)
    _told(table, told, None, line)
    return [*lines, line]


def _move(lines: list[Line], table: Table, dice: random.Random, told: Told) -> list[Line]:
    place = dice.randrange(len(lines))
    line = list(lines[place])
    line[0] = dice.choice(lines)[0]
    _told(table, told, lines[place], line)
    return [*lines[:place], line, *lines[place + 1 :]]
