"""What surrounds the plant: its calendar, limits, instruments.

Checked for shape and references when the file is read, so that a plan version
never holds a word nobody understands. Of all this the pipeline uses only the days on
which instruments are due. Prices and contracts are in `tariffs`.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ingest.plant.fields import (
    Date,
    Entry,
    MonthDay,
    Number,
    Path,
    Positive,
    Segment,
    Share,
    Text,
    Time,
    Whole,
)
from ingest.plant.trust import Trust, Uncertainty, one_uncertainty


class Shift(Entry):
    """A shift; it lasts to the start of the next."""

    name: Segment
    start: Time


class Calendar(Entry):
    """Days and years as the plant counts them, in its zone."""

    shifts: tuple[Shift, ...] = ()
    holidays: tuple[Date, ...] = ()
    workdays: tuple[Date, ...] = ()
    """Saturdays and Sundays that are worked."""
    day_starts: Time = "00:00"
    year_starts: MonthDay = "01-01"


class Target(Entry):
    """What a figure is to reach in a year."""

    id: Segment
    kpi: Path
    year: Whole
    value: Number
    unit: Text


class Allowance(Entry):
    """The year's emission allowance."""

    year: Whole
    value: Positive
    unit: Text
    offsets_share: Share = 0.05


class Instrument(Entry):
    """The device behind points, or behind what documents tell: its class, and how long its calibration holds.

    From the day it is due on, what its points measure is uncertain, reason overdue, and its
    uncertainty counts twice.
    """

    id: Segment
    points: tuple[Path, ...] = ()
    activities: tuple[Segment, ...] = ()
    """Documented activities whose amounts it tells: the weighbridge of a coal yard."""
    kind: Text
    """What it is: electricity meter, belt weigher, CO2 analyser."""
    accuracy_class: Text | None = None
    """As printed: 0.5S, 1.0."""
    uncertainty: Uncertainty | None = None
    uncertainty_class: Text | None = None
    """A row of the instrument table (`ingest.methods.instruments`) instead of an uncertainty of its own."""
    serial: Text | None = None
    certificate: Text | None = None
    calibrated_on: Date
    due_on: Date
    """First day on which it should have been calibrated again; from its midnight in the plant's zone."""
    note: Text | None = None

    @model_validator(mode="after")
    def _judged(self) -> Self:
        if not self.points and not self.activities:
            raise ValueError("at least one of points and activities")
        if self.accuracy_class is None and self.uncertainty is None and self.uncertainty_class is None:
            raise ValueError("an accuracy_class or an uncertainty")
        one_uncertainty(self.uncertainty, self.uncertainty_class)
        if self.due_on <= self.calibrated_on:
            raise ValueError(f"a due_on after {self.calibrated_on}, when it was calibrated")
        return self


class Correlation(Entry):
    """Instruments whose systematic errors go together, as two calibrated with one standard."""

    instruments: Annotated[tuple[Segment, Segment], Field()]
    r: Annotated[float, Field(strict=True, ge=-1, le=1)]
    source: Text
    trust: Trust


class Retention(Entry):
    """How long data are kept, in days; null for ever."""

    readings_days: Whole | None = None
    rejected_days: Whole | None = 30
    commits_days: Whole | None = None
