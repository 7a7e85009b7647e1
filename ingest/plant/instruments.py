"""From when on the instruments of a plant are overdue.

A date is a midnight in the plant's zone; what a computed point is made of is as old
as the instruments of its inputs. What follows from it is in `ingest.pipeline.signals`.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from ingest.model import NEVER, SECOND
from ingest.plant.catalogue import Catalogue
from ingest.plant.plan import PlanComputed

OVERDUE_FACTOR = 2.0
"""What the uncertainty of an overdue instrument is multiplied by."""
NOT_DUE = -NEVER
"""The instant at which nothing is due: after every other."""


def due_instant(due_on: date, zone: ZoneInfo) -> int:
    """The instant at which a day begins, µs since the epoch."""
    return int(datetime.combine(due_on, time(), zone).timestamp()) * SECOND


def due_at(catalogue: Catalogue, programs: Sequence[PlanComputed]) -> list[int]:
    """Per point of the plan the first instant at which an instrument of it is overdue, µs; NOT_DUE: none."""
    zone = ZoneInfo(catalogue.file.time_zone)
    found = [NOT_DUE] * len(catalogue.order)
    for instrument in catalogue.file.instruments:
        at = due_instant(instrument.due_on, zone)
        for point in instrument.points:
            number = catalogue.index[point]
            found[number] = min(found[number], at)
    for program in programs:
        found[program.point] = min(found[program.point], *(found[i] for i in program.inputs))
    return found
