"""A CSV file as messages of the wire: history takes the same road as everything else.

Each block of rows becomes messages in the columns form, each of some columns, in
the points' own units, with a key that follows from the file's bytes, the mapping
and its place: an import that is started again queues the same keys, so what is
in stays in and nothing comes twice. A cell that is no number stops the import
with its line; nothing is skipped unless the mapping calls it missing. Blocks are
sent in the order of the file, whatever their times.
"""

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from ingest.csv_clock import RowClock
from ingest.csv_mapping import CsvMapping
from ingest.errors import InputError
from ingest.model import Kind
from ingest.plant.plan import Plan

READINGS_A_CHUNK = 500
"""So few that what is taken between two live batches can be measured out in chunks."""
ROWS_A_BLOCK, CELLS_A_BLOCK = 480, 200_000
"""Rows whose columns go one after the other: a chunk then tells much of few points, whose hours and days are rolled up once
where a chunk of few rows of all points would have them rolled up by each; and fewer readings a chunk let a turn take as many
as fit. On one machine (`./run bench history`): rows of all points 17 600 readings/s, so 25 800, with 500 a chunk 35 200."""

_NUMBERS = {
    ".": re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII),
    ",": re.compile(r"[-+]?(\d+(,\d*)?|,\d+)([eE][-+]?\d+)?", re.ASCII),
}

_FLAGS = {"true": True, "false": False}

Cell = float | str | bool | None


@dataclass(frozen=True, slots=True)
class HistoryChunk:
    """One message of an import."""

    key: str
    """The same for the same file, mapping and rows; serves as idempotency key."""
    topic: str
    payload: bytes
    rows: int
    bytes_done: int
    """Of the file, up to about the end of this chunk."""
    bytes_total: int


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the file on its way to a point."""

    heading: str
    place: int
    path: str
    """Of the point, relative to the site."""
    states: Mapping[str, int] | None
    """Names it accepts; None: only numbers."""
    multiplier: float
    offset: float


class CsvHistory:
    """One file, checked against its mapping and plan as soon as it is made."""

    def __init__(self, path: Path, mapping: CsvMapping, plan: Plan) -> None:
        """Open the file, hash it and find its columns.

        Raises InputError where file, mapping and plan do not fit each other.
        """
        if mapping.site != plan.site:
            raise InputError(f"the mapping is for site {mapping.site[:60]!r}; expected {plan.site!r}")
        self._path = path
        self._mapping = mapping
        self._topic = f"{plan.topic_prefix}/{plan.site}"
        self._number = _NUMBERS[mapping.decimal]
        with _readable(path):
            self.bytes_total = path.stat().st_size
            with path.open("rb") as file:
                self._digest = hashlib.file_digest(file, "sha256").hexdigest()
            with path.open("rb") as file, self._text(file) as text:
                _, headings = next(self._rows(text), (0, []))
        self._time_place = self._place(mapping.time.column, headings)
        self._columns = [
            self._column(heading, self._place(heading, headings), plan) for heading in mapping.columns
        ]
        width = len(self._columns)
        rows = max(ROWS_A_BLOCK, READINGS_A_CHUNK // width)
        self._rows_a_block = max(1, min(rows, CELLS_A_BLOCK // width))
        self._width = 1 + max(self._time_place, *(column.place for column in self._columns))

    def checked(self) -> Iterator[int]:
        """Read the whole file as `chunks` will; yields the bytes done, now and then.

        Raises InputError at the first row that cannot be read.
        """
        with self._opened() as (file, rows):
            clock = RowClock(self._mapping.time)
            for number, (line, row) in enumerate(rows):
                if row:
                    self._read(row, line, clock)
                if number % self._rows_a_block == 0:
                    yield min(file.tell(), self.bytes_total)

    def chunks(self) -> Iterator[HistoryChunk]:
        """Yield the messages, block of rows by block, and of each block columns by columns.

        Raises InputError at the first row that cannot be read; what came before it stands.
        """
        with self._opened() as (file, rows):
            clock = RowClock(self._mapping.time)
            number = 0
            ts: list[float] = []
            value: list[list[Cell]] = [[] for _ in self._columns]
            for line, row in rows:
                if not row:
                    continue
                at, cells = self._read(row, line, clock)
                ts.append(at // 1000 if at % 1000 == 0 else at / 1000)
                for column, cell in zip(value, cells, strict=True):
                    column.append(cell)
                if len(ts) == self._rows_a_block:
                    yield from self._block(number, ts, value, min(file.tell(), self.bytes_total))
                    number += 1
                    ts, value = [], [[] for _ in self._columns]
            if ts:
                yield from self._block(number, ts, value, self.bytes_total)

    @contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, Iterator[tuple[int, list[str]]]]]:
        """The file and its rows below the headings, each with the number of its last line."""
        with _readable(self._path), self._path.open("rb") as file, self._text(file) as text:
            rows = self._rows(text)
            next(rows, None)
            yield file, rows

    def _block(
        self, number: int, ts: Sequence[float], value: Sequence[Sequence[Cell]], done: int
    ) -> Iterator[HistoryChunk]:
        """The messages of a block of rows, as many columns in each as make a chunk; the last of them has its rows."""
        width = max(1, READINGS_A_CHUNK // len(ts))
        for begin in range(0, len(value), width):
            named = f"{self._digest} {self._mapping.digest} {self._rows_a_block} {number} {width} {begin}"
            key = hashlib.sha256(named.encode()).hexdigest()
            paths = [column.path for column in self._columns[begin : begin + width]]
            body = {"points": paths, "ts": ts, "value": value[begin : begin + width]}
            is_last = begin + width >= len(value)
            yield HistoryChunk(
                key=key,
                topic=self._topic,
                payload=msgspec.json.encode(body),
                rows=len(ts) if is_last else 0,
                bytes_done=done,
                bytes_total=self.bytes_total,
            )

    def _read(self, row: list[str], line: int, clock: RowClock) -> tuple[int, list[Cell]]:
        if len(row) < self._width:
            raise InputError(
                f"{self._path.name} line {line}: {len(row)} cells; expected at least {self._width}"
            )
        stamp = row[self._time_place].strip()
        try:
            at = clock.instant(stamp)
        except (ValueError, OverflowError) as error:
            raise self._wrong(line, self._mapping.time.column, stamp, str(error)) from None
        return at, [self._cell(row[column.place].strip(), column, line) for column in self._columns]

    def _cell(self, text: str, column: _Column, line: int) -> Cell:
        if text in self._mapping.missing:
            return None
        if self._number.fullmatch(text):
            number = float(text.replace(",", ".")) * column.multiplier + column.offset
            if math.isfinite(number):
                return number
        if column.states is not None:
            if text.lower() in _FLAGS:
                return _FLAGS[text.lower()]
            if text in column.states:
                return text
        expected = f"a number with {self._mapping.decimal!r} as decimal mark"
        if column.states is not None:
            expected = f"{expected}, true, false or one of {', '.join(column.states) or 'no states'}"
        raise self._wrong(line, column.heading, text, expected)

    def _wrong(self, line: int, heading: str, text: str, expected: str) -> InputError:
        return InputError(f"{self._path.name} line {line}: {heading} is {text[:40]!r}; expected {expected}")

    def _column(self, heading: str, place: int, plan: Plan) -> _Column:
        target = self._mapping.columns[heading]
        point = plan.index.get(f"{plan.site}/{target.point}")
        told = point is not None and plan.points[point].analysis is not None
        if point is None or point >= plan.n_measured or told:
            what = (
                "no point of the plan"
                if point is None
                else "what analyses give"
                if told
                else "a computed point"
            )
            raise InputError(
                f"column {heading[:40]!r} goes to {target.point[:60]!r}, {what}; expected a measured point"
            )
        try:
            multiplier, offset = plan.convert(point, target.unit)
        except InputError as error:
            raise InputError(f"column {heading[:40]!r}: {error}") from None
        states = plan.points[point].states if plan.points[point].kind is Kind.STATE else None
        return _Column(heading, place, target.point, states, multiplier, offset)

    def _place(self, heading: str, headings: Sequence[str]) -> int:
        found = [place for place, name in enumerate(headings) if name.strip() == heading]
        if len(found) != 1:
            fault = "twice" if found else "not"
            known = ", ".join(repr(name[:40]) for name in headings[:20]) or "nothing"
            raise InputError(
                f"{self._path.name}: column {heading[:40]!r} is {fault} there; expected it once in {known}"
            )
        return found[0]

    def _text(self, file: BinaryIO) -> io.TextIOWrapper:
        return io.TextIOWrapper(file, encoding=self._mapping.encoding, newline="")

    def _rows(self, text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows with the number of their last line, headings first."""
        if text.read(1) != "\ufeff":
            text.seek(0)
        for _ in range(self._mapping.skip_rows):
            if not text.readline():
                break
        reader = csv.reader(text, delimiter=self._mapping.delimiter, strict=True)
        for row in reader:
            yield reader.line_num + self._mapping.skip_rows, row


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what can go wrong while a file is read into one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; expected a CSV file") from None
    except UnicodeError as error:
        raise InputError(f"{path.name}: {error}; expected the mapping's encoding") from None
    except csv.Error as error:
        raise InputError(f"{path.name}: {error}; expected a CSV file") from None
