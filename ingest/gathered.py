"""Late readings on their way to a transaction of their own, and the messages they came in.

What the database refuses is bisected down to the message, so readings remember theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.pipeline.batch import IntArray, Readings
from ingest.source import Delivery


@dataclass(frozen=True, slots=True)
class Gathered:
    """Readings of some deliveries."""

    readings: Readings
    message: IntArray
    """Of each reading the index of its delivery."""
    deliveries: Sequence[Delivery]

    def __len__(self) -> int:
        return len(self.readings)

    @staticmethod
    def join(parts: "Sequence[Gathered]") -> "Gathered":
        """All of them, in order."""
        begins = np.cumsum([0, *(len(part.deliveries) for part in parts)])
        messages = [part.message + begin for part, begin in zip(parts, begins[:-1], strict=True)]
        return Gathered(
            Readings.join([part.readings for part in parts]),
            np.concatenate([np.zeros(0, np.int64), *messages]),
            [delivery for part in parts for delivery in part.deliveries],
        )

    def halves(self) -> "list[Gathered]":
        """The same in two parts, by deliveries; a part without readings is left out."""
        middle = len(self.deliveries) // 2
        parts = []
        for begin, end in ((0, middle), (middle, len(self.deliveries))):
            mine = (self.message >= begin) & (self.message < end)
            if mine.any():
                parts.append(
                    Gathered(self.readings.take(mine), self.message[mine] - begin, self.deliveries[begin:end])
                )
        return parts
