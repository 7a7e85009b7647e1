"""The readings that count: of those of one instant the one that sorts last.

The order is that of ingest: seq, then arrival, then value, then quality. What a
counter uses must not be bad either. Read for sentences and summaries only; amounts
are ingest's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import LiteralString

from ingest.model import ANALYSED_SEQ, DECLARED_SEQ, Quality, Reason, StepClass
from service import past
from service.as_of import Known
from service.store import Connection, row, rows
from service.times import to_datetime


def _wins(among: LiteralString = "true") -> LiteralString:
    return f"""
    NOT EXISTS (
        SELECT FROM reading o
         WHERE o.point_no = r.point_no AND o.measured_at = r.measured_at AND {among}
           AND (o.seq, o.received_at, o.value <> 'NaN', o.value, o.quality)
             > (r.seq, r.received_at, r.value <> 'NaN', r.value, r.quality))
    """


_WINS = _wins()
_KEPT = f"""
    FROM reading r
   WHERE point_no = %(point)s AND quality < 3 AND value <> 'NaN' AND {past.stored("r")} AND {_wins(past.stored("o"))}
     AND NOT EXISTS (SELECT FROM {past.STEPS} g
                      WHERE g.point_no = r.point_no AND g.at = r.measured_at AND g.class = %(glitch)s)
"""


@dataclass(frozen=True, slots=True)
class Winner:
    """A reading that counts."""

    at: int
    value: float
    """NaN: it carried none."""
    quality: int
    reasons: int
    seq: int

    @property
    def declaration_no(self) -> int | None:
        """The declaration that it is of; None: a device's own."""
        return declaration_of(self.seq)

    @property
    def usable(self) -> bool:
        """Whether a counter can use it."""
        return self.quality < Quality.BAD and self.value == self.value


@dataclass(frozen=True, slots=True)
class Register:
    """What a counter's register read at an instant, coming and going."""

    old: Winner
    """Of a replaced meter; else the same as `new`."""
    new: Winner


def declaration_of(seq: int) -> int | None:
    """The number of the declaration a reading's `seq` is of, None for a device's."""
    return (seq - DECLARED_SEQ) // 2 if DECLARED_SEQ <= seq < ANALYSED_SEQ else None


async def at_instant(connection: Connection, point_no: int, at: int) -> Winner | None:
    """The reading that counts at an instant (µs), None if there is none."""
    found = await row(
        connection,
        f"""
        SELECT measured_at, value, quality, reasons, seq FROM reading r
         WHERE point_no = %s AND measured_at = %s AND {_WINS}
        """,  # noqa: S608  fragments of this module
        [point_no, to_datetime(at)],
    )
    return None if found is None else Winner(*found)


async def usable_before(connection: Connection, point_no: int, at: int) -> Winner | None:
    """The last reading before an instant (µs) that a counter can use."""
    found = await row(
        connection,
        f"""
        SELECT measured_at, value, quality, reasons, seq FROM reading r
         WHERE point_no = %s AND measured_at < %s AND quality < %s AND value <> 'NaN' AND {_WINS}
         ORDER BY measured_at DESC LIMIT 1
        """,  # noqa: S608  fragments of this module
        [point_no, to_datetime(at), int(Quality.BAD)],
    )
    return None if found is None else Winner(*found)


async def usable_after(connection: Connection, point_no: int, at: int) -> Winner | None:
    """The first reading after an instant (µs) that a counter can use."""
    found = await row(
        connection,
        f"""
        SELECT measured_at, value, quality, reasons, seq FROM reading r
         WHERE point_no = %s AND measured_at > %s AND quality < %s AND value <> 'NaN' AND {_WINS}
         ORDER BY measured_at LIMIT 1
        """,  # noqa: S608  fragments of this module
        [point_no, to_datetime(at), int(Quality.BAD)],
    )
    return None if found is None else Winner(*found)


async def kept_from(connection: Connection, point_no: int, at: int, known: Known) -> int | None:
    """The first instant at or after one (µs) at which a counter's register was kept, not skipped as a glitch."""
    found = await row(
        connection,
        f"SELECT measured_at {_KEPT} AND measured_at >= %(at)s ORDER BY measured_at LIMIT 1",
        _asked(point_no, at, known),
    )
    return None if found is None else int(found[0])


async def kept_before(connection: Connection, point_no: int, at: int, known: Known) -> int | None:
    """The last instant before one (µs) at which a counter's register was kept, not skipped as a glitch."""
    found = await row(
        connection,
        f"SELECT measured_at {_KEPT} AND measured_at < %(at)s ORDER BY measured_at DESC LIMIT 1",
        _asked(point_no, at, known),
    )
    return None if found is None else int(found[0])


def _asked(point_no: int, at: int, known: Known) -> dict[str, object]:
    return {
        "point": point_no,
        "at": to_datetime(at),
        "glitch": int(StepClass.GLITCH),
        **past.asked(known),
    }


async def registers(
    connection: Connection, point_no: int, instants: Collection[int], known: Known
) -> dict[int, Register]:
    """The registers at some instants (µs); those where nothing usable counts are missing."""
    found = await rows(
        connection,
        """
        SELECT measured_at, value, quality, reasons, seq FROM reading
         WHERE point_no = %(point)s AND measured_at = ANY(%(instants)s)
           AND (NOT %(past)s OR batch_no <= %(batch)s)
         ORDER BY measured_at, seq, received_at, value <> 'NaN', value, quality
        """,
        {
            "point": point_no,
            "instants": [to_datetime(at) for at in sorted(instants)],
            **past.asked(known),
        },
    )
    together: dict[int, list[Winner]] = {}
    for values in found:
        together.setdefault(values[0], []).append(Winner(*values))
    read = {}
    for at, readings in together.items():
        new = readings[-1]
        replaced = new.reasons & Reason.REPLACED and len(readings) > 1 and readings[-2].usable
        if new.usable:
            read[at] = Register(readings[-2] if replaced else new, new)
    return read
