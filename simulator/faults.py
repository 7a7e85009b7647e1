"""What goes wrong between a meter and the broker, as wrappers around a clean stream.

A fault takes packets in order and gives packets in the order in which they are
to be sent; it may hold some back. Each draws from a generator of its own, so
switching one on changes nothing another does. A clean plant never knows that it
is wrapped; what a fault swallowed it says itself (`Missing.swallowed`).
Faults act on messages, not on what is in them.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from ingest.errors import InputError
from ingest.model import SECOND
from simulator.packets import Packet


class Fault(Protocol):
    """A wrapper; every packet that comes out came in."""

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """What is to be sent now."""

    def flush(self) -> list[Packet]:
        """What is still held back, at the end."""


class Missing:
    """A share of the packets never arrives."""

    def __init__(self, share: float, seed: int) -> None:
        self.swallowed: Counter[str] = Counter()
        """Readings by point that no one will see."""
        self._share = share
        self._draw = _generator("missing", seed)

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """The packets that get through."""
        kept = []
        for packet in packets:
            if self._draw.random() < self._share:
                self.swallowed.update(packet.readings)
            else:
                kept.append(packet)
        return kept

    def flush(self) -> list[Packet]:
        """Nothing is held back."""
        return []


class Duplicate:
    """A share of the packets is sent twice; the second brings no reading for the first time."""

    def __init__(self, share: float, seed: int) -> None:
        self._share = share
        self._draw = _generator("duplicate", seed)

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """Every packet, some followed by itself."""
        out = []
        for packet in packets:
            out.append(packet)
            if self._draw.random() < self._share:
                out.append(replace(packet, readings={}))
        return out

    def flush(self) -> list[Packet]:
        """Nothing is held back."""
        return []


class Late:
    """A share of the packets is held back until the stream is `delay_us` further in event time."""

    def __init__(self, share: float, seed: int, delay_us: int = 120 * SECOND) -> None:
        self._share = share
        self._delay_us = delay_us
        self._draw = _generator("late", seed)
        self._held: list[Packet] = []

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """The punctual packets, and before each those whose delay is over."""
        out: list[Packet] = []
        for packet in packets:
            out += [held for held in self._held if held.last_at + self._delay_us <= packet.last_at]
            self._held = [held for held in self._held if held.last_at + self._delay_us > packet.last_at]
            (self._held if self._draw.random() < self._share else out).append(packet)
        return out

    def flush(self) -> list[Packet]:
        """All that is still held, oldest first."""
        held, self._held = self._held, []
        return held


class Reordered:
    """A share of the packets changes places with one a few later."""

    def __init__(self, share: float, seed: int, reach: int = 8) -> None:
        self._share = share
        self._reach = reach
        self._draw = _generator("reordered", seed)
        self._held: list[Packet] = []

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """Packets that are `reach` behind the newest, after the exchange."""
        out = []
        for packet in packets:
            self._held.append(packet)
            if len(self._held) > self._reach:
                if self._draw.random() < self._share:
                    other = self._draw.randrange(1, len(self._held))
                    self._held[0], self._held[other] = self._held[other], self._held[0]
                out.append(self._held.pop(0))
        return out

    def flush(self) -> list[Packet]:
        """The last packets, as they stand."""
        held, self._held = self._held, []
        return held


def _generator(name: str, seed: int) -> random.Random:
    return random.Random(f"{name} {seed}")  # noqa: S311 - a repeatable fault, not a secret


FAULTS: Mapping[str, Callable[[float, int], Fault]] = {
    "missing": Missing,
    "duplicate": Duplicate,
    "late": Late,
    "reordered": Reordered,
}
"""What can be switched on by name; each takes a share and a seed."""


class Chain:
    """Faults one after the other; an empty chain changes nothing."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """What comes out of the last fault."""
        out = list(packets)
        for fault in self._faults:
            out = fault.apply(out)
        return out

    def flush(self) -> list[Packet]:
        """What every fault still holds, passed through those after it."""
        out: list[Packet] = []
        for fault in self._faults:
            out = fault.apply(out) + fault.flush()
        return out


def chain(wanted: Sequence[str], seed: int) -> Chain:
    """Faults from texts such as `late=0.02`: a name of `FAULTS` and a share of packets."""
    faults = []
    for text in wanted:
        name, _, share_text = text.partition("=")
        try:
            share = float(share_text)
        except ValueError:
            share = -1.0
        if name not in FAULTS or not 0 <= share <= 1:
            raise InputError(
                f"fault {text!r}: expected {'|'.join(FAULTS)} and a share from 0 to 1, as in late=0.02"
            )
        faults.append(FAULTS[name](share, seed))
    return Chain(faults)
