"""Looking a coefficient up: exactly one row, or a sentence that says what is nearest.

Nothing is guessed: what is not named may be anything, and if that leaves two rows the
look-up fails rather than choose. Only equipment has a rule: a row for the equipment
asked goes before one for any.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from difflib import get_close_matches

from ingest.errors import InputError
from ingest.factors.rows import FactorRow, ledger

SHOWN = 4
"""Candidates that a sentence names."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is asked for; None: whatever there is, if that is one row."""

    kind: str
    subject: str
    geography: str | None = None
    equipment: str | None = None
    edition: str | None = None
    data_year: int | None = None
    gwp: str | None = None
    at: date | None = None
    """The row has to be valid on this day."""

    def __str__(self) -> str:
        """As a sentence names it."""
        named = [
            f"{entry.name.replace('_', ' ')} {value}"
            for entry in fields(self)[2:]
            if (value := getattr(self, entry.name)) is not None
        ]
        return f"{self.kind} of {self.subject}" + (f" ({', '.join(named)})" if named else "")


def find(key: Key, rows: Sequence[FactorRow] | None = None) -> FactorRow:
    """The one row of the ledger that answers; it may say that there is no value.

    Raises InputError, one sentence naming what was asked and what is nearest, where no row
    answers or more than one does.
    """
    known = ledger() if rows is None else rows
    found = [row for row in known if _missed(row, key) == 0 and row.holds_at(key.at)]
    if key.equipment is not None and any(row.equipment == key.equipment for row in found):
        found = [row for row in found if row.equipment == key.equipment]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"the ledger has {len(found)} rows for {key}: {_listed(found)}; expected a key of one"
        )
    wanted = str(key)
    # what a file names may hold what no terminal shows
    raise InputError(
        f"the ledger has no {wanted if wanted.isprintable() else repr(wanted)}; {_nearest(known, key)}"
    )


def _missed(row: FactorRow, key: Key) -> int:
    """How many of the names asked for the row has not."""
    pairs = [
        (row.kind, key.kind),
        (row.subject, key.subject),
        (row.geography, key.geography),
        (row.edition, key.edition),
        (row.data_year, key.data_year),
        (row.gwp, key.gwp),
    ]
    missed = sum(asked is not None and has != asked for has, asked in pairs)
    return missed + (key.equipment is not None and row.equipment not in (None, key.equipment))


def _nearest(rows: Sequence[FactorRow], key: Key) -> str:
    of_kind = [row for row in rows if row.kind == key.kind]
    if not of_kind:
        return f"expected one of the kinds {_close(key.kind, {row.kind for row in rows})}"
    of_subject = [row for row in of_kind if row.subject == key.subject]
    if not of_subject:
        return f"expected {key.kind} of one of {_close(key.subject, {row.subject for row in of_kind})}"
    of_subject.sort(key=lambda row: (_missed(row, key), not row.holds_at(key.at), _years_off(row, key)))
    return f"expected one such as {_listed(of_subject)}"


def _years_off(row: FactorRow, key: Key) -> int:
    return 0 if key.data_year is None else abs(key.data_year - (row.data_year or 0))


def _close(word: str, known: Iterable[str]) -> str:
    """What is spelt like it, else all that there is."""
    near = get_close_matches(word, sorted(known), n=SHOWN, cutoff=0.5)
    return ", ".join(near or sorted(known))


def _listed(rows: Sequence[FactorRow]) -> str:
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return "; ".join(f"that of {row.where}" for row in rows[:SHOWN]) + more
