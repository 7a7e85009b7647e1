"""Faults switched on by name, one after the other, around one plant.

    late=0.02       a fault and its share        spike       with its usual share
    all             every fault with its usual share

Whatever the order they are named in, registers come first, then values, then
times, as in a device, and messages last.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.errors import InputError
from simulator.faults.messages import Burst, Duplicate, Garbage, Late, MessageFault, Missing, Reordered
from simulator.faults.readings import (
    ClockSkew,
    Drift,
    FrozenTime,
    ReadingFault,
    Shown,
    Spike,
    Stuck,
    WrongUnit,
)
from simulator.faults.record import Note, unnoted
from simulator.faults.registers import Replaced, Reset, Rollover
from simulator.packets import Column, Packet

Fault = ReadingFault | MessageFault


@dataclass(frozen=True, slots=True)
class Kind:
    """How a fault is made, and how often it usually strikes."""

    make: Callable[[float, int, Note], Fault]
    usual: float
    """Share of readings or messages; of episodes, those that begin one."""


FAULTS: Mapping[str, Kind] = {
    "rollover": Kind(Rollover, 0.002),
    "reset": Kind(Reset, 0.0002),
    "replaced": Kind(Replaced, 0.0001),
    "stuck": Kind(Stuck, 0.0002),
    "drift": Kind(Drift, 0.0001),
    "wrong-unit": Kind(WrongUnit, 0.0005),
    "spike": Kind(Spike, 0.002),
    "clock-skew": Kind(ClockSkew, 0.0002),
    "frozen-time": Kind(FrozenTime, 0.0002),
    "missing": Kind(Missing, 0.005),
    "garbage": Kind(Garbage, 0.002),
    "duplicate": Kind(Duplicate, 0.02),
    "burst": Kind(Burst, 0.0005),
    "late": Kind(Late, 0.01),
    "reordered": Kind(Reordered, 0.02),
}
"""What can be switched on, in the order in which it acts."""


class Chain:
    """Faults one after the other; an empty chain changes nothing."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._of_readings = [fault for fault in faults if isinstance(fault, ReadingFault)]
        self._of_messages = [fault for fault in faults if isinstance(fault, MessageFault)]
        self._numbers: Counter[str] = Counter()

    def disturb(self, columns: Sequence[Column]) -> list[Column]:
        """What the instruments show instead; readings of a point in the order of time."""
        return [self._disturbed(column) for column in columns] if self._of_readings else list(columns)

    def _disturbed(self, column: Column) -> Column:
        readings = [Shown(at, at, value) for at, value in zip(column.at, column.values, strict=True)]
        for fault in self._of_readings:
            fault.disturb(column.instrument, readings)
        at, values = [one.shown_at for one in readings], [one.value for one in readings]
        return Column(column.instrument, at, values)

    def apply(self, packets: Iterable[Packet]) -> list[Packet]:
        """What is to be sent now."""
        out = [self._numbered(packet) for packet in packets] if self._of_messages else list(packets)
        for fault in self._of_messages:
            out = fault.apply(out)
        return out

    def flush(self) -> list[Packet]:
        """What every fault still holds, passed through those after it."""
        out: list[Packet] = []
        for fault in self._of_messages:
            out = fault.apply(out) + fault.flush()
        return out

    def _numbered(self, packet: Packet) -> Packet:
        self._numbers[packet.topic] += 1
        return replace(packet, number=self._numbers[packet.topic])


def chain(wanted: Sequence[str], seed: int, note: Note = unnoted) -> Chain:
    """Faults from texts such as `late=0.02`, `spike` or `all`; each told twice counts as told last.

    Raises InputError for a name that is not in `FAULTS` and a share that is none.
    """
    shares: dict[str, float] = {}
    for text in wanted:
        if text == "all":
            shares |= {name: kind.usual for name, kind in FAULTS.items()}
            continue
        name, _, share_text = text.partition("=")
        try:
            share = float(share_text) if "=" in text else FAULTS[name].usual
        except (ValueError, KeyError):
            share = -1.0
        if name not in FAULTS or not 0 <= share <= 1:
            raise InputError(
                f"fault {text!r}: expected all or {'|'.join(FAULTS)}, with or without a share from 0 to 1, "
                "as in late=0.02"
            )
        shares[name] = share
    return Chain([kind.make(shares[name], seed, note) for name, kind in FAULTS.items() if name in shares])
