"""A bundle read and verified: `python BUNDLE.zip`.

One zip: `bundle.json` (which site and batches, the chain's head before them), `leaves.jsonl`, `hours.jsonl`, `notes.jsonl`,
`plans/N.txt` (what a plan version says, as it was hashed), and `rows/TABLE.jsonl`, a line a row: batch_no and the
columns of `layout.TABLES`, instants in µs since 1970, by batch.
"""

import argparse
import hashlib
import io
import itertools
import json
import struct
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .chain import Chain, Hour, Note
from .hashes import NO_WATERMARK, genesis
from .layout import PLAN, TABLES, Table, row_bytes
from .locating import Finding, locator
from .telling import instant, told
from .walk import LEAF, NOTE, Commit, Held, Leaf, StoredHour, Tally, Walk, not_vouched

ABOUT, LEAVES, HOURS, NOTES = "bundle.json", "leaves.jsonl", "hours.jsonl", "notes.jsonl"


class BundleError(Exception):
    """It is no bundle, or a line of it cannot be read."""


class Checked(NamedTuple):
    """What came of a bundle."""

    about: dict[str, Any]
    tally: Tally
    rows: int
    names: Mapping[tuple[int, int], str]


def rows_of(table: Table) -> str:
    """The file of a table's rows."""
    return f"rows/{table.name.replace(' ', '-')}.jsonl"


def checked(bundle: zipfile.ZipFile) -> Checked:
    """Verify a bundle.

    Raises:
        BundleError: it cannot be read as one.
    """
    try:
        return _checked(_Reader(bundle))
    except (KeyError, TypeError, ValueError, OverflowError, struct.error) as error:
        raise BundleError(f"a line of it cannot be read ({type(error).__name__}: {error})") from error


def _checked(reader: "_Reader") -> Checked:
    about, notes = reader.about(), reader.notes()
    first = about["first_batch"]
    is_begin = first == about["evidence_from"]
    head = genesis(about["site"], first) if is_begin else bytes.fromhex(about["chain_before"])
    chain = Chain(head, first - 1)
    for batch_no in sorted(notes):
        for note in notes[batch_no] if batch_no < first else ():
            chain = chain.with_note(note, batch_no)
    walk = Walk(about["site"], chain, reader.hours(), notes)
    walk.tally.findings += reader.plans(notes)
    begin, last, end = about["from"], first - 1, about["to"]
    for leaf, held in reader.batches(notes, first):
        walk.span([leaf] if leaf is not None else [], held)
        if leaf is not None:
            begin = leaf.commit[2] if last < first else begin
            last, end = leaf.commit[0], leaf.commit[2] + 1
    if (begin, last, end) != (about["from"], about["last_batch"], about["to"]):
        walk.tally.findings.append(Finding(about["last_batch"], LEAF, "removed", (about["last_batch"],)))
    walk.end(about["known_after"])
    names = {(one.kind, one.number): one.said for batch in sorted(notes) for one in notes[batch]}
    return Checked(about, walk.tally, reader.count, names)


class _Reader:
    """Lines of a bundle."""

    def __init__(self, bundle: zipfile.ZipFile) -> None:
        self._bundle = bundle
        self._members = set(bundle.namelist())
        self.count = 0

    def about(self) -> dict[str, Any]:
        try:
            about = json.loads(self._bundle.read(ABOUT))
            if about["format"] != 1:
                raise BundleError(f"{ABOUT}: format {about['format']}; this verifier reads format 1")
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"{ABOUT} is missing, or says no site and batches") from error
        return dict(about)

    def _lines(self, member: str) -> Iterator[tuple[int, list[Any]]]:
        if member not in self._members:
            return
        with io.TextIOWrapper(self._bundle.open(member), encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    cells = json.loads(line)
                except ValueError as error:
                    raise BundleError(f"{member}, line {number} cannot be read") from error
                if not isinstance(cells, list):
                    raise BundleError(f"{member}, line {number} is no list")
                yield number, cells

    def _read(self, member: str) -> Iterator[list[Any]]:
        return (cells for _, cells in self._lines(member))

    def notes(self) -> dict[int, list[Note]]:
        found: dict[int, list[Note]] = {}
        for batch_no, *note in self._read(NOTES):
            found.setdefault(batch_no, []).append(Note(*note))
        return found

    def hours(self) -> list[StoredHour]:
        found = []
        for hour_at, first, last, *hashes in self._read(HOURS):
            root, chain, notes, key, signature = (
                None if one is None else bytes.fromhex(one) for one in hashes
            )
            hour = Hour(hour_at, first, last, root or b"", chain or b"", notes or b"")
            found.append(StoredHour(hour, key, signature))
        return found

    def plans(self, notes: Mapping[int, Sequence[Note]]) -> list[Finding]:
        """Plan versions that are not as they were noted."""
        noted: dict[int, set[str]] = {}
        for batch in notes.values():
            for one in batch:
                if one.kind == PLAN:
                    noted.setdefault(one.number, set()).add(one.said)
        found = []
        for version, said in sorted(noted.items()):
            member = f"plans/{version}.txt"
            if member not in self._members:
                found.append(Finding(0, "plan_version", "removed", (version,)))
            elif {hashlib.sha256(self._bundle.read(member)).hexdigest()} != said:
                found.append(Finding(0, "plan_version", "altered", (version,)))
        return found

    def batches(
        self, notes: Mapping[int, Sequence[Note]], first: int
    ) -> Iterator[tuple[Leaf | None, dict[int, Held]]]:
        """Leaf by leaf with what is there of its batch, and in between what is of no leaf."""
        tables = [
            _TableRows(table, _noted(table, notes, first) if table.name == NOTE else self._rows(table))
            for table in TABLES.values()
        ]
        for *commit, leaf, locators in self._read(LEAVES):
            known = Leaf(_commit(commit), bytes.fromhex(leaf), bytes.fromhex(locators))
            batch_no = known.commit[0]
            while (stray := _least(tables)) is not None and stray < batch_no:
                yield None, {stray: _held(None, stray, tables)}
            yield known, {batch_no: _held(known.commit, batch_no, tables)}
        while (stray := _least(tables)) is not None:
            yield None, {stray: _held(None, stray, tables)}

    def _rows(self, table: Table) -> Iterator[tuple[int, bytes]]:
        member = rows_of(table)
        for number, (batch_no, *cells) in self._lines(member):
            try:
                row = row_bytes(table, cells)
            except (TypeError, ValueError, OverflowError, AttributeError) as error:
                raise BundleError(f"{member}, line {number} is no row of {table.name}") from error
            if type(batch_no) is not int:
                raise BundleError(f"{member}, line {number} names no batch")
            self.count += 1
            yield batch_no, row


class _TableRows:
    """Rows of one table, batch by batch."""

    def __init__(self, table: Table, rows: Iterator[tuple[int, bytes]]) -> None:
        self.table = table
        self._groups = itertools.groupby(rows, lambda row: row[0])
        self.next: int | None = None
        self._group: Iterator[tuple[int, bytes]] = iter(())
        self._step()

    def _step(self) -> None:
        self.next, self._group = next(self._groups, (None, iter(())))

    def take(self, batch_no: int) -> list[bytes]:
        """The rows of a batch in canonical order, if they come next."""
        if self.next != batch_no:
            return []
        rows = sorted(row for _, row in self._group)
        self._step()
        return rows


def _noted(table: Table, notes: Mapping[int, Sequence[Note]], first: int) -> Iterator[tuple[int, bytes]]:
    """The notes of the bundle's batches, as rows."""
    for batch_no in sorted(batch_no for batch_no in notes if batch_no >= first):
        for one in notes[batch_no]:
            yield batch_no, row_bytes(table, [one.kind, one.number, one.said])


def _held(commit: Commit | None, batch_no: int, tables: Iterable[_TableRows]) -> Held:
    rows = {one.table.number: found for one in tables if (found := one.take(batch_no))}
    hashed = [
        (number, len(found), hashlib.sha256(b"".join(found)).digest()) for number, found in rows.items()
    ]
    locators = b"".join(locator(TABLES[number], rows[number]) for number in sorted(rows))
    return Held(commit, hashed, locators, lambda: rows)


def _least(tables: Iterable[_TableRows]) -> int | None:
    return min((table.next for table in tables if table.next is not None), default=None)


def _commit(cells: Sequence[Any]) -> Commit:
    return tuple(NO_WATERMARK if cell is None else cell for cell in cells)


def main(arguments: Sequence[str], own: str) -> int:
    """Verify a bundle and say what came of it; 0: it is as it was written."""
    parser = argparse.ArgumentParser(description="Verify a bundle of evidence.")
    parser.add_argument(
        "bundle", nargs="?", default=own, help="another bundle than the one that holds this verifier"
    )
    parser.add_argument("--key", help="the plant's public key as you were given it, in hex")
    asked = parser.parse_args(arguments)
    try:
        with zipfile.ZipFile(Path(asked.bundle)) as bundle:
            found = checked(bundle)
    except (OSError, zipfile.BadZipFile, BundleError) as error:
        sys.stderr.write(f"{asked.bundle}: {error}\n")
        return 2
    lines = [told(one, found.names) for one in found.tally.findings]
    if asked.key is not None:
        lines += not_vouched(found.tally, asked.key)
    sys.stdout.write("\n".join([*lines, *_summary(found, len(lines))]) + "\n")
    return 1 if lines else 0


def _summary(found: Checked, findings: int) -> Iterator[str]:
    about, tally = found.about, found.tally
    said = f"{findings} findings" if findings else "everything is as it was written"
    yield (
        f"{about['site']}, {instant(about['from'])} to {instant(about['to'])}: batches {about['first_batch']} to"
        f" {about['last_batch']}, {found.rows} rows: {said}."
    )
    yield f"Hours: {tally.signed_hours} signed, {tally.unsigned_hours} not signed."
    if tally.open_batches:
        yield f"The last {tally.open_batches} batches are of an hour that was not over: nothing is signed of them."
    for key in sorted(tally.keys):
        yield f"Public key: {key} (is it the one you were given?)"
