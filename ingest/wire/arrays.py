"""The forms that carry arrays: a series of one point, columns of a site.

A list of plain numbers goes to numpy as it is; only a list that holds null,
a word or a number no float64 can hold is walked. `keep` is the mask of what
is still good: each step clears the elements it refuses, and none refuses an
element twice.
"""

from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.wire.refusal import Refusals, RefusedError, RejectReason, shown
from ingest.wire.rows import PLAIN, ArrayRows, Flags
from ingest.wire.topics import Topics, UnitTopic
from ingest.wire.values import (
    MAY_LACK_VALUE,
    QUALITIES,
    UNKNOWN,
    Values,
    code_of,
    flags_of,
    reasons_of,
    unknown_quality,
)

MAX_READINGS = 100_000
"""Readings in one message."""

_NUMBERS = frozenset({int, float})
_NAMES = frozenset({str, type(None)})
_LIST = frozenset({list})
Mask = NDArray[np.bool_]
Refuse = Callable[[int, RefusedError], None]
"""Books the refusal of one element of the message."""


def check_count(count: int) -> None:
    """Refuse a message that holds too many readings."""
    if count > MAX_READINGS:
        raise RefusedError(
            RejectReason.TOO_MANY,
            f"the message holds {count} readings; at most {MAX_READINGS} were expected.",
        )


def batch_flags(body: dict[str, Any]) -> Flags:
    """Return what a batch form says of all its readings; a unit has no place in it."""
    if body.get("unit") is not None:
        raise RefusedError(
            RejectReason.WRONG_FORM,
            f"unit is {shown(body['unit'])}; a message of several readings carries none, "
            "they are taken in the declared units.",
        )
    return flags_of(body.get("quality"), body.get("reason"), body.get("seq"))


class ArrayForms:
    """Reads series and columns into blocks."""

    def __init__(self, topics: Topics, values: Values, refusals: Refusals) -> None:
        self._topics = topics
        self._values = values
        self._refusals = refusals
        self.rows = ArrayRows()
        self.nulls = 0

    def series(self, message: int, point: int, body: dict[str, Any]) -> None:
        """Read `{"ts": [..], "value": [..]}` of one point."""
        given: Any = body["value"]
        stamps: Any = body.get("ts")
        count = _checked_lengths({"ts": stamps, "value": given})
        check_count(count)
        plain = _plain(given) if len(body) == 2 else None
        if plain is not None:
            self.rows.add(message, (point,), stamps, plain, PLAIN)
            return

        def refuse(element: int, error: RefusedError) -> None:
            self._refusals.add_error(message, element, error)

        shared = dict(body)
        columns = {key: shared.pop(key) for key in ("quality", "reason") if type(body.get(key)) is list}
        _checked_lengths({"ts": stamps, **columns})
        flags = batch_flags(shared)
        keep = np.ones(count, np.bool_)
        quality, reasons = np.full(count, flags[0]), np.full(count, flags[1])
        if "quality" in columns:
            quality = _qualities(columns["quality"], keep, refuse)
        if "reason" in columns:
            reasons = _reasons(columns["reason"], keep, refuse)
        value = self._column(given, point, quality, keep, refuse)
        self.rows.add(message, (point,), stamps, value, flags, (quality, reasons), keep)

    def columns(self, message: int, unit: UnitTopic, body: dict[str, Any]) -> None:
        """Read `{"points": [..], "ts": [..], "value": [[..], ..]}` of a site."""
        paths: Any = body.get("points")
        stamps: Any = body.get("ts")
        given: Any = body.get("value")
        height = _checked_lengths({"points": paths, "value": given})
        width = _checked_lengths({"ts": stamps})
        check_count(height * width)
        if not (_LIST.issuperset(map(type, given)) and {width}.issuperset(map(len, given))):
            for row, numbers in enumerate(given):
                _checked_lengths({"ts": stamps, f"value[{row}]": numbers})
        flags = batch_flags(body)
        points, known = self._points(message, unit, paths, width)
        plain = _plain(list(chain.from_iterable(given)))
        keep = None if known is None else np.repeat(known, width)
        if plain is None:
            keep = np.ones(height * width, np.bool_) if keep is None else keep
            plain = self._matrix(message, given, points, flags[0], keep.reshape(height, width)).ravel()
        self.rows.add(message, points, stamps, plain, flags, keep=keep)

    def _points(
        self, message: int, unit: UnitTopic, paths: list[Any], width: int
    ) -> tuple[list[int], Mask | None]:
        """Return the points of the rows, and which rows name one (None: all)."""
        find = unit.points.get
        if _NAMES.issuperset(map(type, paths)):
            known_points = [point for point in map(find, paths) if point is not None]
            if len(known_points) == len(paths):
                return known_points, None
        found = [find(path) if type(path) is str else None for path in paths]
        known = np.ones(len(found), np.bool_)
        for row, point in enumerate(found):
            if point is None:
                known[row] = False
                error = self._topics.no_such_point(unit, paths[row])
                self._refusals.add_error(message, row * width, error, count=max(1, width))
        return [0 if point is None else point for point in found], known

    def _matrix(
        self, message: int, given: list[Any], points: list[int], quality: int, keep: Mask
    ) -> NDArray[np.float64]:
        """Return numbers that have to be looked at one by one; clears `keep` where there is none."""
        value = np.zeros(keep.shape, np.float64)
        for row, numbers in enumerate(given):
            first = row * keep.shape[1]

            def refuse(element: int, error: RefusedError, first: int = first) -> None:
                self._refusals.add_error(message, first + element, error)

            value[row] = self._column(numbers, points[row], quality, keep[row], refuse)
        return value

    def _column(
        self, given: list[Any], point: int, quality: NDArray[np.int64] | int, keep: Mask, refuse: Refuse
    ) -> NDArray[np.float64]:
        """Return the numbers of a list; clears `keep` where there is none."""
        plain = _plain(given)
        if plain is not None:
            return plain
        value = np.zeros(len(given), np.float64)
        qualities = np.broadcast_to(np.asarray(quality), len(given))
        for element in np.flatnonzero(keep).tolist():
            number = given[element]
            if number is None:
                value[element] = np.nan
                keep[element] = int(qualities[element]) in MAY_LACK_VALUE
                self.nulls += not keep[element]
                continue
            try:
                value[element] = self._values.number(number, point)
            except RefusedError as error:
                keep[element] = False
                refuse(element, error)
        return value


def _plain(given: list[Any]) -> NDArray[np.float64] | None:
    """Return a list of finite numbers as an array, None if it holds anything else."""
    if not _NUMBERS.issuperset(map(type, given)):
        return None
    try:
        numbers = np.array(given, np.float64)
    except OverflowError:  # an integer of JSON may have 300 digits and more
        return None
    return numbers if np.isfinite(numbers).all() else None


def _checked_lengths(lists: dict[str, Any]) -> int:
    """Return the common length of the keys that must be lists."""
    for key, given in lists.items():
        if type(given) is not list:
            raise RefusedError(RejectReason.WRONG_FORM, f"{key} is {shown(given)}; a list was expected.")
    (first, *others) = lists.items()
    for key, given in others:
        if len(given) != len(first[1]):
            raise RefusedError(
                RejectReason.LENGTH_MISMATCH,
                f"{key} has {len(given)} entries; {len(first[1])} were expected, one for each of {first[0]}.",
            )
    return len(first[1])


def _qualities(names: list[Any], keep: Mask, refuse: Refuse) -> NDArray[np.int64]:
    if _NAMES.issuperset(map(type, names)):
        codes = np.array(list(map(QUALITIES.get, names, repeat(UNKNOWN))), np.int64)
    else:
        codes = np.array([code_of(name, QUALITIES) for name in names], np.int64)
    for element in np.flatnonzero((codes == UNKNOWN) & keep).tolist():
        keep[element] = False
        refuse(element, unknown_quality(names[element]))
    return codes


def _reasons(names: list[Any], keep: Mask, refuse: Refuse) -> NDArray[np.int64]:
    bits = np.zeros(len(names), np.int64)
    for element in np.flatnonzero(keep).tolist():
        try:
            bits[element] = reasons_of(names[element])
        except RefusedError as error:
            keep[element] = False
            refuse(element, error)
    return bits
