"""The real steel works: a CSV of quarter-hours, replayed row by row.

The rows are the UCI 851 data set's own. Its stamp is the end of a quarter, local
time; the row of midnight carries the date of the day that just ended, so it is
the end of that day (`next-day`) and not its beginning (`as-is`, which books 365
rows of a year late). Rows are sent in the order of the file and end with it:
nothing is repeated, shifted to now, or invented.
"""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from ingest.errors import InputError
from ingest.model import Kind
from simulator.instruments import Instrument
from simulator.packets import Column, Packet, in_columns, in_turn

WEEK = Path(__file__).parent / "data" / "steel_week.csv"

COLUMNS: Mapping[str, str] = {
    "plant/energy": "Usage_kWh",
    "plant/reactive-lagging": "Lagging_Current_Reactive.Power_kVarh",
    "plant/reactive-leading": "Leading_Current_Reactive_Power_kVarh",
}
"""Point → column of the data set."""

Midnight = Literal["next-day", "as-is"]

ROWS_A_MESSAGE = 96


@dataclass(frozen=True, slots=True)
class Row:
    """One quarter of an hour."""

    at: int
    """µs; its end."""
    texts: Mapping[str, str]
    """The data set's columns, as written."""


def read_rows(path: Path, zone: ZoneInfo, midnight: Midnight) -> list[Row]:
    """The rows of a file in its order; an InputError names the row that is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = {"date", *COLUMNS.values()}.difference(reader.fieldnames or ())
            if missing:
                raise InputError(f"{path}: no column {min(missing)!r}; expected those of UCI 851")
            return [_row(path, reader.line_num, texts, zone, midnight) for texts in reader]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected the steel data set") from error


def _row(path: Path, line: int, texts: Mapping[str, str], zone: ZoneInfo, midnight: Midnight) -> Row:
    try:
        local = datetime.strptime(texts["date"], "%d/%m/%y %H:%M").replace(tzinfo=zone)
    except ValueError:
        raise InputError(f"{path} line {line}: date {texts['date']!r}, expected DD/MM/YY H:MM") from None
    for column in COLUMNS.values():
        if not _is_number(texts[column]):
            raise InputError(f"{path} line {line}: {column} {texts[column]!r}, expected a number")
    if midnight == "next-day" and (local.hour, local.minute) == (0, 0):
        local += timedelta(days=1)
    return Row(round(local.timestamp()) * 1_000_000, texts)


class SteelReplay:
    """The rows of a works as packets."""

    def __init__(
        self,
        measured: Sequence[Instrument],
        rows: Sequence[Row],
        prefix: str,
        site: str,
        disturb: Callable[[Sequence[Column]], Sequence[Column]] = list,
    ) -> None:
        for instrument in measured:
            if instrument.name not in COLUMNS or instrument.kind is not Kind.DELTA:
                kind = instrument.kind.name.lower()
                raise InputError(f"point {instrument.id}: the steel data set has no such {kind}")
        self.instruments = tuple(measured)
        self.rows = tuple(rows)
        self._prefix = prefix
        self._site = site
        self._disturb = disturb

    def at_once(self, n: int) -> Iterator[Packet]:
        """The first `n` rows, many to a message."""
        if self.rows[:n]:
            yield from in_columns(
                f"{self._prefix}/{self._site}", self._columns(self.rows[:n]), ROWS_A_MESSAGE
            )

    def one_by_one(self, n: int) -> Iterator[Packet]:
        """The rows after the first `n`, a message each, to the unit that measures them."""
        for row in self.rows[n:]:
            yield from in_turn(self._prefix, self._columns([row]))

    def _columns(self, rows: Sequence[Row]) -> Sequence[Column]:
        at = [row.at for row in rows]
        return self._disturb(
            [
                Column(instrument, at, [float(row.texts[COLUMNS[instrument.name]]) for row in rows])
                for instrument in self.instruments
            ]
        )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
