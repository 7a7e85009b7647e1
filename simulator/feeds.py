"""When what is sent: a plant followed on a clock, a record replayed at a pace.

A feed hands packets to `send`, which returns when there is room for more; that
is all the pace a backfill has. The clock and the wait come from outside.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ingest.model import DAY, HOUR, MINUTE, SECOND
from simulator.cement import CementPlant
from simulator.packets import Column, Packet, in_columns, in_turn
from simulator.statistics import Phase
from simulator.steel import SteelReplay

Send = Callable[[list[Packet]], Awaitable[None]]
Wait = Callable[[float], Awaitable[None]]
"""Sleep for that many seconds."""
Disturb = Callable[[Sequence[Column]], Sequence[Column]]
"""What instruments show instead of what is so (`simulator.faults`)."""

ROWS_A_MESSAGE = 60
_BEHIND_US = 30 * SECOND
"""Further behind the clock than this a plant sends columns, else each device speaks for itself."""


class Feed(Protocol):
    """A source of packets; `run` ends when there will be no more."""

    @property
    def phase(self) -> Phase:
        """What it is doing."""

    @property
    def points(self) -> list[str]:
        """Ids of the points it publishes."""

    async def run(self, send: Send) -> None:
        """Send what there is to send."""


class CementFeed:
    """The cement line from some time in the past to now, and then with the clock for ever."""

    def __init__(
        self,
        plant: CementPlant,
        prefix: str,
        site: str,
        history_us: int,
        clock: Callable[[], int],
        wait: Wait,
        disturb: Disturb = list,
    ) -> None:
        self.phase: Phase = "backfill"
        self.points = [instrument.id for instrument in plant.instruments]
        self._plant = plant
        self._prefix = prefix
        self._site_topic = f"{prefix}/{site}"
        self._history_us = history_us
        self._clock = clock
        self._wait = wait
        self._disturb = disturb

    async def run(self, send: Send) -> None:
        """Never ends."""
        grid = self._plant.grid
        begin = (self._clock() - self._history_us) // MINUTE * MINUTE
        tick = grid.first_at_or_after(begin)
        while True:
            now = self._clock()
            due = grid.first_at_or_after(now + 1) - tick
            if due <= 0:
                await self._wait((int(grid.instants(tick, 1)[0]) - now) / SECOND)
            elif due * grid.period_us > _BEHIND_US:
                n = min(due, HOUR // grid.period_us)
                columns = self._disturb(self._plant.columns(tick, n))
                await send(list(in_columns(self._site_topic, columns, ROWS_A_MESSAGE)))
                tick += n
            else:
                self.phase = "live"
                columns = self._disturb(self._plant.columns(tick, 1))
                await send(list(in_turn(self._prefix, columns)))
                tick += 1


class SteelFeed:
    """Recorded quarter-hours: some days at once, the others a row at a time; then nothing."""

    def __init__(self, replay: SteelReplay, at_once_us: int, rows_per_s: float, wait: Wait) -> None:
        """`rows_per_s` 0: as fast as they are acknowledged."""
        self.phase: Phase = "backfill"
        self.points = [instrument.id for instrument in replay.instruments]
        self._replay = replay
        self._at_once = at_once_us // (DAY // 96)
        self._rows_per_s = rows_per_s
        self._wait = wait

    async def run(self, send: Send) -> None:
        """Ends with the record."""
        for packet in self._replay.at_once(self._at_once):
            await send([packet])
        self.phase = "live" if self._rows_per_s else "backfill"
        for packet in self._replay.one_by_one(self._at_once):
            if self._rows_per_s:
                await self._wait(1 / self._rows_per_s)
            await send([packet])
        self.phase = "done"
