"""Why something on the wire was not taken.

A refusal is counted and kept, never raised out of the decoder: it belongs to
one message, or to one element of it, and says in a sentence what was found
where and what had been expected. The closed set of reasons is what operators
filter by. How long refusals are kept is the store's business.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

from ingest.errors import StackwattError

LISTED_PER_MESSAGE = 32
"""Refusals of one reason listed one by one for a message; the rest become one with their count."""


class RejectReason(StrEnum):
    """The reasons a message or one of its elements can be refused for."""

    MALFORMED = "malformed"
    """Not UTF-8 JSON, or not a form of the contract at all."""
    WRONG_FORM = "wrong_form"
    """A form of the contract, but not one of this topic; or a key this form cannot carry."""
    LENGTH_MISMATCH = "length_mismatch"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNKNOWN_POINT = "unknown_point"
    COMPUTED_POINT = "computed_point"
    """The plan computes this point; nobody else may say what it is."""
    ANALYSED_POINT = "analysed_point"
    """Laboratory analyses tell this point, by documents."""
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    UNKNOWN_STATE = "unknown_state"
    UNKNOWN_QUALITY = "unknown_quality"
    UNKNOWN_REASON = "unknown_reason"
    BAD_SEQ = "bad_seq"
    UNKNOWN_UNIT = "unknown_unit"
    DIMENSION = "dimension"
    BASIS = "basis"
    BAD_TIME = "bad_time"
    BEFORE_2000 = "before_2000"
    FUTURE = "future"
    RETIRED = "retired"
    """At or after the point's `until`."""
    RETAINED_WITHOUT_TIME = "retained_without_time"
    DELTA_WITHOUT_TIME = "delta_without_time"
    UNSTORABLE = "unstorable"
    """Decoded and admitted, but the database refused it; found by bisecting the batch."""


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """One refusal."""

    message: int
    """Index of the message in the batch."""
    element: int | None
    """Index of the first reading concerned in its message; None: the whole body.

    A series counts its entries, a unit's message its `values` in order, columns
    count point by point: reading k of point i is element i · len(ts) + k.
    """
    reason: RejectReason
    detail: str
    """One sentence: what, where, its value, what was expected."""
    count: int = 1
    """Readings refused by it (1 for a body whose readings were never counted)."""


class RefusedError(StackwattError):
    """A message or an element is refused; caught inside the decoder."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Refusals:
    """Collects the refusals of a batch, bounded per message and reason."""

    def __init__(self, earlier: Iterable[Rejection] = ()) -> None:
        self._listed = list(earlier)
        self._per_message: dict[tuple[int, RejectReason], int] = {}
        self._rest: dict[tuple[int, RejectReason], Rejection] = {}

    def add(
        self, message: int, element: int | None, reason: RejectReason, detail: str, count: int = 1
    ) -> None:
        """Book one refusal of `count` readings."""
        key = (message, reason)
        listed = self._per_message.get(key, 0)
        if listed < LISTED_PER_MESSAGE:
            self._per_message[key] = listed + 1
            self._listed.append(Rejection(message, element, reason, detail, count))
            return
        first = self._rest.get(key)
        total = count if first is None else first.count + count
        element = element if first is None else first.element
        detail = f"{total} more readings of this message are refused for the same reason."
        self._rest[key] = Rejection(message, element, reason, detail, total)

    def add_error(self, message: int, element: int | None, error: RefusedError, count: int = 1) -> None:
        """Book the refusal an error stands for."""
        self.add(message, element, error.reason, error.detail, count)

    def all(self) -> list[Rejection]:
        """Return every refusal, by message and element."""
        found = [*self._listed, *self._rest.values()]
        found.sort(key=lambda item: (item.message, -1 if item.element is None else item.element))
        return found


def shown(value: Any) -> str:
    """Return a value as it may stand in a sentence: short, printable, without NUL."""
    if isinstance(value, str) and len(value) > 60:
        return repr(value[:57]) + "..."
    if not isinstance(value, str | int | float | None):
        return _kind_of(value)
    text = repr(value)
    # an integer of JSON may have thousands of digits
    return f"{text[:57]}..." if isinstance(value, int) and len(text) > 60 else text


def _kind_of(value: Any) -> str:
    match value:
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object of {len(value)} keys"
        case _:
            return type(value).__name__
