"""What a fault did, exactly, and how it decides: the ground all faults stand on.

A decision is a function of the fault's name, the seed and what is decided about
(a point and a time, a topic and a number), never of a stream of random numbers
that others draw from too. So switching a fault on changes nothing another does,
and gathering readings otherwise changes nothing at all.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One reading that a fault has touched."""

    fault: str
    point: str
    """Full id."""
    at: int
    """µs; the reading's time before the fault."""
    shown_at: int | None
    """µs; the time its message says. None: no message with it can be read."""
    what: str
    """What was done, in a few words."""
    since: int
    """µs; when the episode began to which it belongs; `at` where it stands alone."""
    numbers: tuple[int, ...] = ()
    """Of a register, in counts: see the fault."""


Note = Callable[[Disturbance], None]
"""Where disturbances go."""


def unnoted(_: Disturbance) -> None:
    """Nobody wants to know: a plant that runs for months keeps no record."""


class Dice:
    """Decisions of one fault."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self._stem = f"{name} {seed} "

    def at(self, *of: str | int) -> float:
        """A number in [0, 1) that belongs to this fault and `of` alone."""
        text = self._stem + " ".join(map(str, of))
        return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") / 2**56

    def below(self, most: int, *of: str | int) -> int:
        """A whole number in [0, most)."""
        return math.floor(self.at(*of) * most)
