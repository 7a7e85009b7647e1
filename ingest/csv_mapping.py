"""The mapping file of a CSV history: which column is which point, and what its stamps mean.

    site: steel
    columns:
      Usage_kWh: {point: plant/energy, unit: kWh}
    time: {column: date, format: "%d/%m/%y %H:%M", zone: Asia/Seoul, midnight: next_day}

What a file leaves unsaid about time is said here, never guessed: the zone of
local stamps, and which day a row of 00:00 belongs to. Whether the points exist
and the units convert is checked against the plan, by `ingest.csv_history`.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from ingest.errors import InputError
from ingest.plant.fields import Entry, Expected, Segment, Text, Zone
from ingest.plant.fields import Path as PointPath
from ingest.plant.parse import read_yaml
from ingest.plant.sentence import from_validation

ISO = "iso"
EPOCH_MS = "epoch_ms"
_LONGEST_FORMAT = 100
_SOME_TIME = datetime(2018, 11, 20, 8, 45, 30, tzinfo=UTC)


def _encoding(value: str) -> str:
    try:
        "a".encode(value)
    except LookupError:
        raise ValueError("an encoding such as utf-8, cp1252 or gb18030") from None
    return value


def _delimiter(value: str) -> str:
    if len(value) != 1 or value in '"\r\n':
        raise ValueError('one character such as , or ; (a tab is written "\\t")')
    return value


class ColumnMapping(Entry):
    """Where the numbers of one column go."""

    point: PointPath
    """Relative to the site, as in the plant file."""
    unit: Text
    """Of the numbers in the file; converted to the point's."""


class TimeMapping(Entry):
    """What the stamps of the rows mean."""

    column: Text
    format: Text = ISO
    """`iso`, `epoch_ms`, or a pattern such as `%d/%m/%Y %H:%M` (strptime)."""
    zone: Zone | None = None
    """Of stamps without an offset.

    Rows stand in the order of time: a local time that came twice, when summer time
    ended, is the first one unless it is not later than the row before.
    """
    midnight: Literal["same", "next_day"] = "same"
    """What 00:00 beside a date means: `same`, that day's beginning; `next_day`, its end (24:00)."""

    @model_validator(mode="after")
    def _told_enough(self) -> Self:
        if self.format == EPOCH_MS:
            if self.midnight != "same":
                raise ValueError("midnight: same with epoch_ms, whose stamps have no date")
            return self
        if self.format == ISO:
            return self
        try:
            _SOME_TIME.strptime(_SOME_TIME.strftime(self.format), self.format)
            is_pattern = self.format.isprintable() and len(self.format) <= _LONGEST_FORMAT
        except (ValueError, re.error):  # the latter where a directive stands twice
            is_pattern = False
        if not is_pattern:
            raise ValueError("iso, epoch_ms or a pattern such as %d/%m/%Y %H:%M as format")
        if self.zone is None and "%z" not in self.format:
            raise ValueError("a zone, since the format has no offset (%z)")
        return self


class CsvMapping(Entry):
    """How to read one kind of CSV file."""

    site: Segment
    columns: Annotated[dict[Text, ColumnMapping], Field(min_length=1), Expected("columns and their points")]
    """Heading → point."""
    time: Annotated[TimeMapping, Expected("column, format, zone and midnight")]
    delimiter: Annotated[str, AfterValidator(_delimiter)] = ","
    decimal: Literal[".", ","] = "."
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    """A byte order mark is skipped."""
    skip_rows: Annotated[int, Field(ge=0, strict=True)] = 0
    """Lines above the headings."""
    missing: tuple[str, ...] = ("",)
    """Cells that say "no reading", blanks around them aside."""

    @property
    def digest(self) -> str:
        """sha256 of what the mapping says, however it is written."""
        body = self.model_dump(mode="json")
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def load_mapping(path: Path) -> CsvMapping:
    """Read and check a mapping file.

    Raises InputError, one sentence, where it cannot be read or is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; expected a mapping file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; expected a text in UTF-8") from None
    return parse_mapping(text, path.name)


def parse_mapping(text: str, name: str) -> CsvMapping:
    """Check the text of a mapping file; `name` is what errors call it."""
    try:
        return CsvMapping.model_validate(read_yaml(text, name))
    except ValidationError as error:
        raise from_validation(name, error, CsvMapping) from None
