"""Faults of messages: lost, doubled, delayed, shuffled, gathered, spoilt.

A fault takes packets in order and gives packets in the order in which they are
to be sent; it may hold some back. A decision belongs to the packet's topic and
its number among that topic's, which `Chain` has written on it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, runtime_checkable

from ingest.model import MINUTE, SECOND
from simulator.faults.record import Dice, Disturbance, Note, unnoted
from simulator.packets import Packet


@runtime_checkable
class MessageFault(Protocol):
    """A wrapper around a stream of packets."""

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """What is to be sent now."""

    def flush(self) -> list[Packet]:
        """What is still held back, at the end."""


class _Struck:
    """What they share: which packets are struck, and the record of it."""

    def __init__(self, name: str, share: float, seed: int, note: Note) -> None:
        self._dice = Dice(name, seed)
        self._share = share
        self._note = note

    def flush(self) -> list[Packet]:
        """Nothing is held back."""
        return []

    def _strikes(self, packet: Packet) -> bool:
        return self._dice.at(packet.topic, packet.number) < self._share

    def _noted(self, packet: Packet, what: str, since: int | None = None, *, lost: bool = False) -> None:
        for column in packet.content:
            for at in column.at:
                begun = at if since is None else since
                shown_at = None if lost else at
                self._note(Disturbance(self._dice.name, column.instrument.id, at, shown_at, what, begun))


class Missing(_Struck):
    """A share of the packets never arrives."""

    def __init__(self, share: float, seed: int, note: Note = unnoted) -> None:
        super().__init__("missing", share, seed, note)
        self.swallowed: Counter[str] = Counter()
        """Readings by point that no one will see."""

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """The packets that get through."""
        kept = []
        for packet in packets:
            if self._strikes(packet):
                self.swallowed.update(packet.readings)
                self._noted(packet, "never sent", lost=True)
            else:
                kept.append(packet)
        return kept


class Garbage(_Struck):
    """A share of the packets is spoilt: cut off, or bytes that are no text at all."""

    def __init__(self, share: float, seed: int, note: Note = unnoted) -> None:
        super().__init__("garbage", share, seed, note)
        self.swallowed: Counter[str] = Counter()
        """Readings by point that no one can read."""

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """All packets; of a spoilt one nothing can be read, and the topic only tells whose it was."""
        out = []
        for packet in packets:
            if not self._strikes(packet):
                out.append(packet)
                continue
            self.swallowed.update(packet.readings)
            self._noted(packet, "spoilt", lost=True)
            keep = self._dice.below(len(packet.payload), packet.topic, packet.number, "keep")
            begins = packet.payload[:keep]
            is_cut = self._dice.at(packet.topic, packet.number, "cut") < 0.5
            out.append(
                replace(packet, payload=begins if is_cut else b"\xff" + begins, readings={}, content=())
            )
        return out


class Duplicate(_Struck):
    """A share of the packets is sent twice; the second brings no reading for the first time."""

    def __init__(self, share: float, seed: int, note: Note = unnoted) -> None:
        super().__init__("duplicate", share, seed, note)

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """Every packet, some followed by itself."""
        out = []
        for packet in packets:
            out.append(packet)
            if self._strikes(packet):
                self._noted(packet, "sent twice")
                out.append(replace(packet, readings={}))
        return out


class Late(_Struck):
    """A share of the packets is held back until the stream is `delay_us` further in event time."""

    def __init__(self, share: float, seed: int, note: Note = unnoted, delay_us: int = 120 * SECOND) -> None:
        super().__init__("late", share, seed, note)
        self._delay_us = delay_us
        self._held: list[Packet] = []

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """The punctual packets, and before each those whose delay is over."""
        out: list[Packet] = []
        for packet in packets:
            out += [held for held in self._held if held.last_at + self._delay_us <= packet.last_at]
            self._held = [held for held in self._held if held.last_at + self._delay_us > packet.last_at]
            if self._strikes(packet):
                self._noted(packet, "sent late")
                self._held.append(packet)
            else:
                out.append(packet)
        return out

    def flush(self) -> list[Packet]:
        """All that is still held, oldest first."""
        held, self._held = self._held, []
        return held


class Reordered(_Struck):
    """A share of the packets is overtaken by a few that follow, at most `reach`."""

    def __init__(self, share: float, seed: int, note: Note = unnoted, reach: int = 8) -> None:
        super().__init__("reordered", share, seed, note)
        self._reach = reach
        self._overtaken: list[tuple[int, Packet]] = []
        """How many more are to pass, and who waits for them."""

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """The packets that come, and those that enough have passed."""
        out = []
        for packet in packets:
            if self._strikes(packet):
                self._noted(packet, "overtaken")
                by = 1 + self._dice.below(self._reach, packet.topic, packet.number, "by")
                self._overtaken.append((by, packet))
                continue
            out.append(packet)
            self._overtaken = [(by - 1, held) for by, held in self._overtaken]
            out += [held for by, held in self._overtaken if by == 0]
            self._overtaken = [(by, held) for by, held in self._overtaken if by]
        return out

    def flush(self) -> list[Packet]:
        """Those nobody is left to pass."""
        held, self._overtaken = [packet for _, packet in self._overtaken], []
        return held


class Burst(_Struck):
    """A device is cut off for a while: what it has to say comes all at once when it is back, in order.

    A share of a topic's packets begins such a time, `span_us` of event time long.
    """

    def __init__(self, share: float, seed: int, note: Note = unnoted, span_us: int = 2 * MINUTE) -> None:
        super().__init__("burst", share, seed, note)
        self._span_us = span_us
        self._held: dict[str, list[Packet]] = {}

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """What gets through, and before it what devices that are back have kept."""
        out: list[Packet] = []
        for packet in packets:
            back = [
                topic
                for topic, held in self._held.items()
                if held[0].last_at + self._span_us <= packet.last_at
            ]
            for topic in back:
                out += self._held.pop(topic)
            held = self._held.get(packet.topic)
            if held is not None or self._strikes(packet):
                held = self._held.setdefault(packet.topic, [])
                held.append(packet)
                self._noted(packet, "kept by its device", held[0].first_at)
            else:
                out.append(packet)
        return out

    def flush(self) -> list[Packet]:
        """What devices still keep, as when the network is back."""
        out = [packet for held in self._held.values() for packet in held]
        self._held.clear()
        return out
