"""The instruments of a plant: what they are, how long their calibration holds, how far they may be off.

Taken from the plant file in force; what an overdue one does to intervals is ingest's.
An uncertainty is the relative standard one that the file gives with its source, or that of
the row of the instrument table it names; of an overdue instrument it counts twice. A class
as printed says nothing of a standard uncertainty (transformers, range and mounting do
too), so then there is none.
"""

from typing import Literal

from pydantic import Field

from ingest.methods.instruments import TRUST, instrument_classes
from ingest.model import DAY
from ingest.plant.business import Instrument
from ingest.plant.instruments import OVERDUE_FACTOR, due_instant
from ingest.plant.plan import Plan
from service.documents import Document, Instant

DUE_SOON_US = 30 * DAY
"""How long before its day an instrument is told to be due soon."""

State = Literal["ok", "due_soon", "overdue"]


class InstrumentDocument(Document):
    """An instrument of a plant."""

    id: str
    site: str
    points: list[str] = Field(description="Full ids of the points it measures")
    activities: list[str] = Field(description="Documented activities whose amounts it tells")
    kind: str
    accuracy_class: str | None = Field(description="As printed on it")
    serial: str | None
    certificate: str | None
    calibrated_on: str = Field(description="A day of the site's zone")
    due_on: str = Field(description="First day on which it should have been calibrated again")
    due_at: Instant = Field(description="When that day begins; intervals from then on are uncertain")
    state: State = Field(description="overdue from `due_at`, due_soon in the 30 days before it")
    uncertainty_class: str | None = Field(description="Row of the instrument table")
    uncertainty_percent: float | None = Field(
        description="Relative standard uncertainty; null: the plant file gives none, or an absolute one"
    )
    uncertainty_source: str | None
    effective_uncertainty_percent: float | None = Field(description="The same, twice of an overdue one")
    note: str | None


def instrument_documents(plan: Plan, now: int) -> list[InstrumentDocument]:
    """The instruments of a plan as they are at the instant `now` (µs), in the file's order."""
    return [_document(plan, instrument, now) for instrument in plan.file.instruments]


def _document(plan: Plan, instrument: Instrument, now: int) -> InstrumentDocument:
    due_at = due_instant(instrument.due_on, plan.zone)
    state: State = "overdue" if now >= due_at else "due_soon" if now >= due_at - DUE_SOON_US else "ok"
    percent, source = _uncertainty(instrument)
    factor = OVERDUE_FACTOR if state == "overdue" else 1.0
    return InstrumentDocument(
        id=f"{plan.site}/{instrument.id}",
        site=plan.site,
        points=[f"{plan.site}/{point}" for point in instrument.points],
        activities=list(instrument.activities),
        kind=instrument.kind,
        accuracy_class=instrument.accuracy_class,
        serial=instrument.serial,
        certificate=instrument.certificate,
        calibrated_on=instrument.calibrated_on.isoformat(),
        due_on=instrument.due_on.isoformat(),
        due_at=due_at,
        state=state,
        uncertainty_class=instrument.uncertainty_class,
        uncertainty_percent=percent,
        uncertainty_source=source,
        effective_uncertainty_percent=None if percent is None else factor * percent,
        note=instrument.note,
    )


def _uncertainty(instrument: Instrument) -> tuple[float | None, str | None]:
    """Percent of the reading, None of an absolute one, and its source."""
    if instrument.uncertainty is not None:
        return instrument.uncertainty.percent, instrument.uncertainty.source
    if instrument.uncertainty_class is None:
        return None, None
    row = instrument_classes()[instrument.uncertainty_class]
    percent = row.systematic if row.of == "reading" else None
    return percent, f"{row.source}; instrument table, {TRUST}"
