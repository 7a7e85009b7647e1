"""When a delivery that failed is tried again.

The steps are those that the Standard Webhooks specification proposes: with the first try at
once they are ten tries over three days. Each wait is varied at random, so that receivers that
were away together are not all asked at the same instant; a `Retry-After` can only lengthen it.
"""

import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from ingest.model import DAY, HOUR, MINUTE, SECOND
from service.times import from_datetime

_LONGEST_SECONDS = 12
"""Digits of a Retry-After in seconds."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The waits after the first, the second, … failed try; after the last there is none."""

    waits: tuple[int, ...] = (
        5 * SECOND,
        5 * MINUTE,
        30 * MINUTE,
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
        14 * HOUR,
        20 * HOUR,
        24 * HOUR,
    )
    """µs."""
    jitter: float = 0.1
    """By what share a wait is longer or shorter at most."""
    longest: int = DAY
    """What a receiver may ask for at most, µs."""

    def after(self, tries: int, retry_after: int | None, dice: random.Random) -> int | None:
        """The wait after so many failed tries, µs; None: there is no further try.

        Args:
            tries: how many have failed, the last one included.
            retry_after: what the receiver asked for, µs.
            dice: where the jitter comes from.
        """
        if tries > len(self.waits):
            return None
        wait = round(self.waits[tries - 1] * dice.uniform(1 - self.jitter, 1 + self.jitter))
        return max(wait, min(retry_after or 0, self.longest))


def parse_retry_after(text: str | None, now: int) -> int | None:
    """What a `Retry-After` asks for, µs from now: seconds or an HTTP date; None for anything else."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return int(text) * SECOND if len(text) <= _LONGEST_SECONDS else None
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0, from_datetime(at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
