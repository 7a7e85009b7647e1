"""What a replay looks at and what it finds."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ingest.pipeline.batch import IntArray, Rows
from ingest.pipeline.compare import Compared, compare
from ingest.store.stored import StoredTable


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What of one point, KPI or source is not stored as it comes out, in one table."""

    table: StoredTable
    number: int
    name: str
    made: Rows
    """What comes out and is not stored so: `compared.missing`, then `compared.made`."""
    version: IntArray
    """The plan version of each; none for rows that name none."""
    kept: Rows
    """What is stored and does not come out so: `compared.extra`, then `compared.kept`."""
    compared: Compared

    @staticmethod
    def of(
        table: StoredTable, number: int, name: str, made: Rows, version: IntArray, kept: Rows
    ) -> "Mismatch | None":
        """Of all rows that come out and all that are stored; None if they are equal."""
        found = compare(made, kept, table.keys(made), table.keys(kept), table.columns)
        if found.equal:
            return None
        mine = np.concatenate([found.missing, found.made])
        theirs = np.concatenate([found.extra, found.kept])
        return Mismatch(
            table, number, name, made[mine], version[mine] if version.size else version, kept[theirs], found
        )

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return self.compared.missing.size + self.compared.extra.size + self.compared.made.size


@dataclass(slots=True)
class Tally:
    """What has been looked at."""

    readings: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    """Rows that came out, per table."""
