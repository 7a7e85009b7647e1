"""The plan: a plant file compiled to what the running code needs.

A point is a dense index 0..n-1: measured points in file order, then computed ones. Parameters are columns over that
index, KPIs and emission sources are sparse weights on it, computed points are a method number with input indices and
constants. All ids are full (`site/unit/…/point`), spans are µs. No database ids, no state; importing it loads no numba.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from numpy.typing import NDArray

from ingest.methods.figures import KpiKind
from ingest.model import Kind
from ingest.plant.mes_plan import PlanMes
from ingest.plant.papers import PlanActivity, PlanAnalysis, PlanDocumented
from ingest.plant.plan_alerts import PlanAlerts
from ingest.plant.plan_benchmark import PlanBenchmark
from ingest.plant.plan_doubts import PlanDoubts, PlanTerm
from ingest.plant.plan_prices import PlanPrices
from ingest.plant.regime_plan import PlanRegime
from ingest.plant.stage_plan import PlanStages
from ingest.units import conversion

if TYPE_CHECKING:
    from ingest.plant.file import PlantFile
    from ingest.plant.plan_reconciliation import PlanReconciliation

Terms = tuple[tuple[int, float], ...]
"""Sparse sum over points: (point index, weight on the interval's amount)."""

COLUMNS: Mapping[str, type] = {
    "kind": int,
    "sloped": int,
    "max_gap_us": int,
    "period_us": int,
    "stamp_start": int,
    "resolution": float,
    "modulus_count": int,
    "max_step_count_per_h": float,
    "fall_is_reset": int,
    "fill_at_most_us": int,
    "max_rate_per_h": float,
    "stuck_after_us": int,
    "stuck_band": float,
    "stuck_low": float,
    "stuck_high": float,
    "lookback_us": int,
    "low": float,
    "high": float,
    "min_valid_share": float,
    "due_at": int,
    "fill": int,
    "fill_by": int,
}
"""The parameter columns of a plan; int is int64, float is float64."""


@dataclass(frozen=True, slots=True)
class PlanUnit:
    """A piece of the plant: an area, line or machine."""

    id: str
    """Full id, `site/line/machine`."""
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class PlanValidity:
    """By which rules hours and days of a point are valid."""

    regime: str
    """Key of `ingest.methods.validity.REGIMES`."""
    running: int | None
    """The state point that says when its unit ran; None: always."""


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """One quantity measured (or computed) at one place."""

    id: str
    """Full id, `site/unit/…/point`."""
    name: str
    kind: Kind
    unit: str
    """Of its readings, as the plant file writes it."""
    basis: tuple[str, ...]
    """What else the unit means: dry, wet, 0C, gauge, NCV, …; sorted."""
    context: tuple[str, ...]
    """The part of `basis` declared beside the unit: a message's unit is read under it."""
    amount_unit: str | None
    """Of its intervals' amounts: kWh of a point in kW. None: it has no amounts."""
    resolution: float
    """Size of one count, in `unit`."""
    states: Mapping[str, int]
    """Names a state point accepts on the wire, with their codes; empty for others."""
    carrier: str | None
    product: str | None
    topics: tuple[str, ...]
    """Declared topics beside `{prefix}/{id}`."""
    formerly: tuple[str, ...]
    """Full ids it had before."""
    until: int | None
    """Readings at or after this instant are refused, µs; None: in use."""
    computed: bool
    validity: PlanValidity | None
    analysis: tuple[str, float] | None = None  # what analyses give and nobody publishes, its multiplier


@dataclass(frozen=True, slots=True)
class PlanComputed:
    """The program of one computed point."""

    point: int
    inputs: tuple[int, ...]
    """Measured points, in the method's order."""
    scales: tuple[tuple[float, float], ...]
    """Per input (multiplier, offset): method input = reading · multiplier + offset.

    To be applied to the inputs' values before the kernel, which knows no units.
    """
    method: int
    """Number of the kernel, `ingest.methods`."""
    method_id: str
    constants: tuple[float, ...]
    """In the kernel's order."""
    gate: int | None = None
    """The state point that says when there is a value; None: always."""
    gate_codes: tuple[int, ...] = ()
    """Its codes at which there is none, and for each of them why, as reasons."""
    gate_reasons: tuple[int, ...] = ()

    @property
    def reads(self) -> tuple[int, ...]:
        """All measured points it depends on: its inputs and its gate, in the kernel's order."""
        return self.inputs if self.gate is None else (*self.inputs, self.gate)


@dataclass(frozen=True, slots=True)
class PlanComparison:
    """With what a measured point is compared, hour by hour; what follows is in `ingest.pipeline.drift`."""

    point: int
    other: int
    scale: tuple[float, float]
    """(multiplier, offset) from the other's amount to the point's, of samples from its mean."""
    share: float | None
    """How far apart they may be, as a share of the other's figure; None: see `limit`."""
    limit: float
    """The same as an amount of an hour, or as a mean."""
    least_us: float
    """How much of an hour they must have in common."""
    doubts: tuple[int, ...]
    """The points whose intervals are in doubt when it has drifted: itself, and computed ones that read it."""


@dataclass(frozen=True, slots=True)
class PlanKpi:
    """A figure: Σ weight·amount over `a`, and over `b`, combined as its kind says."""

    id: str
    name: str
    kind: KpiKind
    unit: str
    basis: tuple[str, ...]
    windows_us: tuple[int, ...]
    """Live windows; those of a demand are its block."""
    block_us: int | None
    """Block of a demand or load factor; it begins where (t + phase_us) mod block_us is 0."""
    phase_us: int
    load_us: int | None
    """Of a demand: over which its present load is taken."""
    stale_after_us: int | None
    """None: never stale (replay)."""
    a: Terms
    b: Terms
    """Empty where b is the covered hours. Of both without terms whose weight changes with time."""
    a_terms: tuple[PlanTerm, ...]
    b_terms: tuple[PlanTerm, ...]
    """The same sums, term by term."""
    a_unit: str
    b_unit: str
    contract: float | None
    """Contracted demand in the KPI's unit."""
    caution: float
    """How far the load may fall in the rest of a block whose exceedance is announced."""
    formerly: tuple[str, ...]

    @property
    def points(self) -> tuple[int, ...]:
        """The points it depends on, ascending, each once."""
        return tuple(sorted({term.point for term in (*self.a_terms, *self.b_terms)}))


@dataclass(frozen=True, slots=True)
class PlanSource:
    """A source of emissions: mass = amount of its activity point · kg_per_amount (`ingest.methods.mass`)."""

    id: str
    name: str
    unit: str | None
    """Full id of the unit that emits; None: the site."""
    scope: int
    category: str
    route: Literal["calculated", "measured"]
    gas: str
    method: str
    """Id of the method, `ingest.methods`."""
    point: int
    kg_per_amount: float
    """kg of `gas` per unit of the point's amount, and of the factor point's mean if it has one;
    negative for carbon leaving in products. Of a source with steps without their values."""
    co2e_per_kg: float
    """kg CO2e per kg of `gas` under the site's GWP set."""
    factors: tuple[str, ...]
    formerly: tuple[str, ...]
    account: str = "gross"
    """gross, biogenic, captured, fixed, offset, or attributed: in no total."""
    steps: tuple[tuple[int, float], ...] = ()
    """(instant in µs, kg per amount from it on; NaN: not known); empty: the same at all times."""
    factor_point: int | None = None
    """The sample point whose mean is a further factor."""
    basis: Literal["location", "market"] | None = None
    supply: Literal["grid", "green", "own", "export"] | None = None
    regime: PlanRegime | None = None

    @property
    def points(self) -> tuple[int, ...]:
        """The points it depends on."""
        return (self.point,) if self.factor_point is None else (self.point, self.factor_point)

    @property
    def varies(self) -> bool:
        """Whether its factor depends on time."""
        return bool(self.steps) or self.factor_point is not None


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One version of a plant, compiled."""

    site: str
    name: str
    version: int
    """0: not applied."""
    zone: ZoneInfo
    clock: Literal["live", "replay"]
    interval_us: int
    lateness_us: int
    topic_prefix: str
    file: "PlantFile"
    units: tuple[PlanUnit, ...]
    points: tuple[PlanPoint, ...]
    n_measured: int
    index: Mapping[str, int]
    """Full point id → index."""
    topics: Mapping[str, int]
    """Declared topic → index of a measured point."""
    params: Mapping[str, NDArray[Any]]
    """`COLUMNS`, one entry per point."""
    computed: tuple[PlanComputed, ...]
    """computed[i] is the program of points[n_measured + i]."""
    kpis: tuple[PlanKpi, ...]
    sources: tuple[PlanSource, ...]
    """Those with a meter."""
    comparisons: tuple[PlanComparison, ...]
    doubts: PlanDoubts
    reconciliations: "tuple[PlanReconciliation, ...]"
    prices: PlanPrices
    activities: tuple[PlanActivity, ...] = ()
    analyses: tuple[PlanAnalysis, ...] = ()
    documented: tuple[PlanDocumented, ...] = ()
    """Sources without one."""
    benchmarks: tuple[PlanBenchmark, ...] = ()
    alerts: PlanAlerts = field(default_factory=PlanAlerts)
    mes: PlanMes = field(default_factory=PlanMes)
    stages: PlanStages = field(default_factory=PlanStages)

    @property
    def readers(self) -> tuple["PlanSource | PlanKpi", ...]:
        """What is made of points' intervals."""
        return (*self.sources, *self.kpis)

    def convert(self, point: int, unit: str) -> tuple[float, float]:
        """(multiplier, offset) from a message's unit to the point's, cached.

        Raises InputError, one sentence, where dimension or basis differ.
        """
        declared = self.points[point]
        if unit == declared.unit:
            return 1.0, 0.0
        return conversion(unit, declared.unit, declared.context)
