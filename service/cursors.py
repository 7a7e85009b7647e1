"""Where the next page begins, as a text that clients hand back unread.

A cursor is the sort key of the last row given, so a page costs the same however
far one has come, and rows that arrive meanwhile shift nothing. It is not signed:
it says nothing that `from` could not say.
"""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any

from service.problems import ProblemError, invalid
from service.times import FIRST_INSTANT, LAST_INSTANT

INSTANT = range(FIRST_INSTANT, LAST_INSTANT + 1)
"""The part of a key that is an instant, µs."""

_EXPECTED = "the `next` of an answer to the same request"


def encode(key: Sequence[int | float]) -> str:
    """The cursor of a sort key."""
    plain = ["nan" if isinstance(part, float) and math.isnan(part) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(cursor: str, shape: Sequence[range | type[float]]) -> list[Any]:
    """The sort key of a cursor; each part is an integer of the given range, or a float.

    The ranges keep what is forged from the database, to which it would be no question but a fault.

    Raises:
        ProblemError: it is not a cursor of this shape.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _wrong(cursor) from None
    if not isinstance(parts, list) or len(parts) != len(shape):
        raise _wrong(cursor)
    return [_part(cursor, part, kind) for part, kind in zip(parts, shape, strict=True)]


def _part(cursor: str, part: Any, kind: range | type[float]) -> Any:
    if isinstance(kind, range):
        if type(part) is int and part in kind:
            return part
    elif part == "nan":
        return math.nan
    elif type(part) is float:
        return part
    raise _wrong(cursor)


def _wrong(cursor: str) -> ProblemError:
    return invalid("Query parameter", "cursor", cursor, _EXPECTED)
