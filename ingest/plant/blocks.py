"""Where the blocks of a demand begin: as the meter's do.

A block begins where a clock shows a multiple of its length since midnight, the clock of the site
or that of UTC. Clocks are changed; where every change is a whole number of blocks it moves no edge, so
how far the edges are from those of UTC is one number, the phase, good at all times:
a block begins where (t + phase) mod length is 0. Blocks that a change would cut cannot follow the site.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from ingest.methods.figures import KpiKind
from ingest.model import DAY, MINUTE
from ingest.plant.entries import Kpi
from ingest.plant.fields import format_span
from ingest.plant.file import PlantFile
from ingest.plant.sentence import Place, fault

LOAD_WINDOW = 2 * MINUTE
"""Over which the present load of a demand is taken, unless the file says so."""


@lru_cache(maxsize=64)
def clock_offsets(zone: str) -> tuple[int, ...]:
    """How far the clocks of a zone are ahead of UTC, summer and winter since 2000; µs."""
    instants = (datetime(year, month, 1, tzinfo=UTC) for year in range(2000, 2038) for month in (1, 7))
    offsets = {instant.astimezone(ZoneInfo(zone)).utcoffset() for instant in instants}
    return tuple(sorted(offset // timedelta(microseconds=1) for offset in offsets if offset is not None))


def phase_of(file: PlantFile, kpi: Kpi) -> int:
    """How far the blocks of a KPI begin before those of UTC, µs; 0 of one without blocks."""
    if kpi.block is None or alignment(file, kpi) == "utc":
        return 0
    return clock_offsets(file.time_zone)[0] % kpi.block


def alignment(file: PlantFile, kpi: Kpi) -> Literal["site", "utc"] | None:
    """By whose clock the blocks of a KPI begin; None of one without blocks."""
    if kpi.block is None:
        return None
    if kpi.align is not None:
        return kpi.align
    return "site" if len({at % kpi.block for at in clock_offsets(file.time_zone)}) == 1 else "utc"


def load_window(kpi: Kpi) -> int | None:
    """Over which the present load of a demand is taken, µs; None of other kinds."""
    if kpi.kind is not KpiKind.DEMAND or kpi.block is None:
        return None
    return kpi.load_window or min(LOAD_WINDOW, kpi.block // 2)


def check_blocks(file: PlantFile, kpi: Kpi, place: Place) -> None:
    """Raise PlantError for blocks that do not fit the intervals, the day or the clock."""
    if kpi.block is None:
        if kpi.align is not None:
            raise fault(file.origin, (*place, "align"), kpi.align, "no align without a block")
    elif kpi.block <= 0 or kpi.block % file.interval or DAY % kpi.block:
        expected = f"a multiple of the interval, {format_span(file.interval)}, that divides 1d"
        raise fault(file.origin, (*place, "block"), format_span(kpi.block), expected)
    elif kpi.align == "site" and len({at % kpi.block for at in clock_offsets(file.time_zone)}) > 1:
        expected = f"utc, for changes of the clock of {file.time_zone} cut blocks of {format_span(kpi.block)}"
        raise fault(file.origin, (*place, "align"), kpi.align, expected)
    if kpi.load_window is not None:
        shown = format_span(kpi.load_window)
        if kpi.kind is not KpiKind.DEMAND or kpi.block is None:
            raise fault(file.origin, (*place, "load_window"), shown, f"no load_window for kind {kpi.kind}")
        if not 0 < kpi.load_window < kpi.block:
            expected = f"a duration shorter than the block, {format_span(kpi.block)}"
            raise fault(file.origin, (*place, "load_window"), shown, expected)
