"""Decoded readings as columns, and what they are gathered in.

Single readings and units' messages arrive one by one, so they are appended to
plain lists and become arrays once per batch; series and columns are arrays as
soon as they are read and are only joined here. Times stay as they came until
the end: one conversion for all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.model import NO_SEQ, Quality
from ingest.wire.refusal import Refusals, RefusedError, Rejection, RejectReason, shown
from ingest.wire.times import BAD_TIME, NO_TIME, instants

NO_ELEMENT = -1
"""`element` of a reading that is its whole message."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The readings of a batch in the order they came, and what was refused."""

    point: NDArray[np.int32]
    """Index in the plan."""
    measured_at: NDArray[np.int64]
    """µs since the epoch; NO_TIME where the message carried none."""
    value: NDArray[np.float64]
    """In the point's declared unit; NaN: a bad or uncertain reading without a value.

    JSON integers are exact up to 2^53 and rounded to the nearest float64 beyond.
    """
    quality: NDArray[np.int64]
    reasons: NDArray[np.int64]
    seq: NDArray[np.int64]
    """NO_SEQ where the message carried none."""
    message: NDArray[np.int32]
    """Index of the message in the batch; never decreases."""
    element: NDArray[np.int32]
    """Place in the message as in `Rejection.element`; NO_ELEMENT for a single reading."""
    rejections: list[Rejection]
    unknown_keys: int
    """Keys outside the contract that were ignored."""
    nulls: int
    """Elements that said "no reading"."""


Flags = tuple[int, int, int]
"""What a message says of all its readings: quality, reasons, seq."""

PLAIN: Flags = (int(Quality.GOOD), 0, NO_SEQ)


class Block(NamedTuple):
    """Readings as columns; the quality and reasons of a series are columns too."""

    message: NDArray[np.int32]
    point: NDArray[np.int32]
    measured_at: NDArray[np.int64]
    value: NDArray[np.float64]
    element: NDArray[np.int32]
    quality: NDArray[np.int64]
    reasons: NDArray[np.int64]
    seq: NDArray[np.int64]

    def where(self, mask: NDArray[np.bool_]) -> "Block":
        """Return the readings the mask keeps."""
        return self if mask.all() else _block([column[mask] for column in self])


def bad_time(stamp: Any) -> RefusedError:
    """Return the refusal of a stamp that says nothing."""
    return RefusedError(
        RejectReason.BAD_TIME,
        f"ts is {shown(stamp)}; RFC 3339 with an offset or epoch milliseconds was expected.",
    )


class SingleRows:
    """Readings that are their whole message. The lists are open: the decoder's tight loop appends to them."""

    def __init__(self) -> None:
        self.message: list[int] = []
        self.point: list[int] = []
        self.value: list[float] = []
        self.stamp: list[Any] = []
        """As it came: text, epoch milliseconds, None."""
        self._flagged: list[int] = []
        """Rows that are not PLAIN, with their flags in `_flags`."""
        self._flags: list[int] = []

    def add(self, message: int, point: int, value: float, stamp: Any, flags: Flags) -> None:
        """Append one reading."""
        if flags is not PLAIN:
            self._flagged.append(len(self.point))
            self._flags.extend(flags)
        self.message.append(message)
        self.point.append(point)
        self.value.append(value)
        self.stamp.append(stamp)

    def block(self, refusals: Refusals) -> Block:
        """Return the rows as columns; those whose stamp says nothing are refused."""
        measured_at = instants(self.stamp)
        bad = measured_at == BAD_TIME
        for row in np.flatnonzero(bad).tolist():
            refusals.add_error(self.message[row], None, bad_time(self.stamp[row]))
        rows = len(self.point)
        block = Block(
            np.array(self.message, np.int32),
            np.array(self.point, np.int32),
            measured_at,
            np.array(self.value, np.float64),
            np.full(rows, NO_ELEMENT, np.int32),
            *(np.full(rows, flag, np.int64) for flag in PLAIN),
        )
        if self._flagged:
            flags = np.array(self._flags, np.int64).reshape(-1, 3)
            for column, given in zip(block[-3:], flags.T, strict=True):
                column[self._flagged] = given
        return block.where(~bad)


class UnitRows:
    """Readings of units' messages: one stamp and one set of flags for several points."""

    def __init__(self) -> None:
        self._message: list[int] = []
        self._stamp: list[Any] = []
        self._rows: list[int] = []
        self._flags: list[Flags] = []
        self._point: list[int] = []
        self._value: list[float] = []
        self._element: list[int] = []

    def add(
        self,
        message: int,
        stamp: Any,
        flags: Flags,
        points: Sequence[int],
        values: Iterable[float],
        elements: Iterable[int],
    ) -> None:
        """Append the readings of one message."""
        self._message.append(message)
        self._stamp.append(stamp)
        self._flags.append(flags)
        self._rows.append(len(points))
        self._point.extend(points)
        self._value.extend(values)
        self._element.extend(elements)

    def block(self, refusals: Refusals) -> Block:
        """Return the rows as columns; messages whose stamp says nothing are refused."""
        at = instants(self._stamp)
        bad = at == BAD_TIME
        for place in np.flatnonzero(bad).tolist():
            error = bad_time(self._stamp[place])
            refusals.add_error(self._message[place], None, error, max(1, self._rows[place]))
        rows = np.array(self._rows, np.int64)
        flags = np.array(self._flags, np.int64).reshape(-1, 3)
        block = Block(
            np.repeat(np.array(self._message, np.int32), rows),
            np.array(self._point, np.int32),
            np.repeat(at, rows),
            np.array(self._value, np.float64),
            np.array(self._element, np.int32),
            *(np.repeat(column, rows) for column in flags.T),
        )
        return block.where(np.repeat(~bad, rows))


class ArrayRows:
    """Readings of series and columns: values are arrays as they come, the rest is made once per batch.

    A message is a matrix: a row for each point, a column for each of its stamps.
    """

    def __init__(self) -> None:
        self._shape: list[tuple[int, int, int, int]] = []
        """Of each message its number, seq, points and stamps."""
        self._point: list[int] = []
        self._stamps: list[Any] = []
        self._value: list[NDArray[np.float64]] = []
        self._flags: list[Flags] = []
        self._apart: list[tuple[int, NDArray[np.int64], NDArray[np.int64]]] = []
        """Place of a message whose readings differ in quality or reasons, and these."""
        self._kept: list[tuple[int, NDArray[np.bool_]]] = []
        """Place of a message some of whose readings are refused, and which are not."""

    def add(
        self,
        message: int,
        points: Sequence[int],
        stamps: list[Any],
        value: NDArray[np.float64],
        flags: Flags,
        apart: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
        keep: NDArray[np.bool_] | None = None,
    ) -> None:
        """Append the readings of one message, point by point.

        `apart` gives quality and reasons of each where they are not those of `flags`; `keep`
        says which of them are not refused, None: all.
        """
        place = len(self._shape)
        self._shape.append((message, flags[2], len(points), len(stamps)))
        self._point.extend(points)
        self._stamps.extend(stamps)
        self._value.append(value)
        self._flags.append(flags)
        if apart is not None:
            self._apart.append((place, *apart))
        if keep is not None:
            self._kept.append((place, keep))

    def block(self, refusals: Refusals) -> Block:
        """Return the rows as columns; those whose stamp says nothing are refused."""
        if not self._shape:
            return EMPTY
        message, seq, height, width = np.array(self._shape, np.int64).T
        rows = height * width
        first = np.cumsum(rows) - rows
        element = np.arange(rows.sum()) - np.repeat(first, rows)
        at_stamp = element % np.repeat(np.maximum(width, 1), rows) + np.repeat(np.cumsum(width) - width, rows)
        flags = np.array(self._flags, np.int64).reshape(-1, 3)
        quality, reasons = np.repeat(flags[:, 0], rows), np.repeat(flags[:, 1], rows)
        good = np.ones(element.size, np.bool_)
        for place, qualities, reason_bits in self._apart:
            mine = slice(int(first[place]), int(first[place] + rows[place]))
            quality[mine], reasons[mine] = qualities, reason_bits
        for place, keep in self._kept:
            good[int(first[place]) : int(first[place] + rows[place])] = keep
        at = instants(self._stamps)[at_stamp]
        bad = ((at == BAD_TIME) | (at == NO_TIME)) & good
        messages = np.repeat(message, rows).astype(np.int32)
        for row in np.flatnonzero(bad).tolist():
            error = bad_time(self._stamps[at_stamp[row]])
            refusals.add_error(int(messages[row]), int(element[row]), error)
        return Block(
            messages,
            np.repeat(np.array(self._point, np.int32), np.repeat(width, height)),
            at,
            np.concatenate(self._value),
            element.astype(np.int32),
            quality,
            reasons,
            np.repeat(seq, rows),
        ).where(good & ~bad)


def joined(blocks: Sequence[Block]) -> Block:
    """Return all readings in the order of their messages."""
    filled = [block for block in blocks if len(block.point)]
    if len(filled) <= 1:
        return filled[0] if filled else EMPTY
    columns = [np.concatenate(parts) for parts in zip(*filled, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return _block([column[order] for column in columns])


def _block(columns: Sequence[NDArray[Any]]) -> Block:
    return Block(*columns)


EMPTY = _block([np.empty(0, dtype) for dtype in ("i4", "i4", "i8", "f8", "i4", "i8", "i8", "i8")])
