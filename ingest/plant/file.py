"""The plant file as it is written: one class, its keys the file's keys.

Parsed text becomes a `PlantFile` (`reading`), which is checked against itself
(`references`) and compiled to a `Plan` (`compiling`). It says nothing about the
database and keeps every id relative to the site, as written.
"""

from typing import Any, Literal

from pydantic import Field, PrivateAttr

from ingest.model import DAY, HOUR, MINUTE, SECOND
from ingest.plant.activities import Activity, Analysis
from ingest.plant.alerts import Alert
from ingest.plant.benchmarks import Benchmark
from ingest.plant.boundaries import Boundary
from ingest.plant.business import (
    Allowance,
    Calendar,
    Correlation,
    Instrument,
    Retention,
    Target,
)
from ingest.plant.entries import Carrier, Kpi, Point, Product, Source, Unit
from ingest.plant.factors import Factor
from ingest.plant.fields import Entry, Segment, Span, Text, TopicPrefix, Zone
from ingest.plant.mes_entries import Mes
from ingest.plant.reconciliation_entries import Reconciliation
from ingest.plant.stage_entries import StageEntry
from ingest.plant.tariffs import CarbonPrice, ContractedDemand, DemandCharge, Tariff
from ingest.plant.webhooks import Webhook


def _default_windows(given: dict[str, Any]) -> tuple[int, ...]:
    interval = given.get("interval") or MINUTE
    return tuple(window for window in (5 * MINUTE, HOUR, 8 * HOUR, DAY) if window % interval == 0)


class PlantFile(Entry):
    """A plant: what it consists of, what is measured, and what is made of it."""

    site: Segment
    name: Text
    time_zone: Zone
    clock: Literal["live", "replay"] = "live"
    """A replay plant's time is that of its readings."""
    interval: Span = MINUTE
    """Length of every interval; divides one hour."""
    lateness: Span = 5 * SECOND
    """How long the watermark waits for stragglers."""
    topic_prefix: TopicPrefix = "plant"
    calendar: Calendar = Calendar()
    currency: Literal["CNY", "EUR", "USD", "KRW", "JPY", "GBP", "INR"] | None = None
    carbon_price: CarbonPrice | None = None
    gwp: Literal["SAR", "AR4", "AR5", "AR6"] = "AR5"
    windows: tuple[Span, ...] = Field(default_factory=_default_windows)
    """Live windows of KPIs that name none; default those of 5min, 1h, 8h and 1d that the interval divides."""
    units: tuple[Unit, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    products: tuple[Product, ...] = ()
    factors: tuple[Factor, ...] = ()
    points: tuple[Point, ...] = ()
    activities: tuple[Activity, ...] = ()
    analyses: tuple[Analysis, ...] = ()
    sources: tuple[Source, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    kpis: tuple[Kpi, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    contracted_demand: ContractedDemand | None = None
    demand_charges: tuple[DemandCharge, ...] = ()
    alerts: tuple[Alert, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    benchmarks: tuple[Benchmark, ...] = ()
    targets: tuple[Target, ...] = ()
    allowance: tuple[Allowance, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    """Of the systematic errors of instruments; default: none."""
    reconciliations: tuple[Reconciliation, ...] = ()
    mes: Mes | None = None
    """Units on which orders run; default: a MES tells nothing here."""
    stages: tuple[StageEntry, ...] = ()
    """Who makes what from what; default: products carry nothing on."""
    retention: Retention = Retention()

    _origin: str = PrivateAttr(default="plant file")

    @property
    def origin(self) -> str:
        """Name of the file it was read from, for error sentences."""
        return self._origin
