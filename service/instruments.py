"""The instruments of a plant: what they are, how long their calibration holds, how far they may be off.

Taken from the plant file in force; what an overdue one does to intervals is ingest's.
An uncertainty is the relative standard one that the file gives with its source; of an
overdue instrument it counts twice. A class alone says nothing of a standard
uncertainty (transformers, range and mounting do too), so then there is none.
"""

from typing import Literal

from pydantic import Field

from ingest.model import DAY
from ingest.plant.business import Instrument
from ingest.plant.instruments import due_instant
from ingest.plant.plan import Plan
from service.documents import Document, Instant

DUE_SOON_US = 30 * DAY
"""How long before its day an instrument is told to be due soon."""
OVERDUE_FACTOR = 2.0
"""What the uncertainty of an overdue instrument is multiplied by."""

State = Literal["ok", "due_soon", "overdue"]


class InstrumentDocument(Document):
    """An instrument of a plant."""

    id: str
    site: str
    points: list[str] = Field(description="Full ids of the points it measures")
    kind: str
    accuracy_class: str | None = Field(description="As printed on it")
    serial: str | None
    certificate: str | None
    calibrated_on: str = Field(description="A day of the site's zone")
    due_on: str = Field(description="First day on which it should have been calibrated again")
    due_at: Instant = Field(description="When that day begins; intervals from then on are uncertain")
    state: State = Field(description="overdue from `due_at`, due_soon in the 30 days before it")
    uncertainty_percent: float | None = Field(
        description="Relative standard uncertainty; null: the plant file gives none"
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
    given = instrument.uncertainty
    factor = OVERDUE_FACTOR if state == "overdue" else 1.0
    return InstrumentDocument(
        id=f"{plan.site}/{instrument.id}",
        site=plan.site,
        points=[f"{plan.site}/{point}" for point in instrument.points],
        kind=instrument.kind,
        accuracy_class=instrument.accuracy_class,
        serial=instrument.serial,
        certificate=instrument.certificate,
        calibrated_on=instrument.calibrated_on.isoformat(),
        due_on=instrument.due_on.isoformat(),
        due_at=due_at,
        state=state,
        uncertainty_percent=None if given is None else given.percent,
        uncertainty_source=None if given is None else given.source,
        effective_uncertainty_percent=None if given is None else factor * given.percent,
        note=instrument.note,
    )
