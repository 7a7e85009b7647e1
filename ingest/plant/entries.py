"""What a plant consists of: units, points, factors, emission sources, figures.

One class per kind of entry of the plant file, with the checks an entry can make
on itself. Whether the ids it names exist is checked by `references`, whether its
units fit by the compiler. Ids are relative to the site.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ingest.methods.figures import KpiKind
from ingest.plant.activities import Documented, SourceActivity
from ingest.plant.fields import (
    Bases,
    Entry,
    Flag,
    Instant,
    Number,
    Path,
    Positive,
    Rate,
    Segment,
    Share,
    Span,
    Text,
    Tolerance,
    Topic,
    Whole,
)
from ingest.plant.regime import Regime


class Unit(Entry):
    """A piece of equipment (ISA-95): area, line, cell; its path is its parents' ids and its own."""

    id: Segment
    name: Text
    kind: Literal["area", "line", "cell"] = "cell"
    units: tuple["Unit", ...] = ()


class Carrier(Entry):
    """An energy carrier or medium."""

    id: Segment
    name: Text


class Product(Entry):
    """What the plant makes."""

    id: Segment
    name: Text


Codes = Annotated[tuple[Segment | Whole, ...], Field(min_length=1)]
"""States of a point, by name or code."""


class Gate(Entry):
    """When an instrument does not measure: in these states of a state point there is no value, and why.

    The value is bad then, its time covered but not valid. So it is, reason gap, while the state
    is not known.
    """

    state: Path
    calibration: Codes | None = None
    maintenance: Codes | None = None
    fault: Codes | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.calibration is None and self.maintenance is None and self.fault is None:
            raise ValueError("at least one of calibration, maintenance and fault")
        return self


class Computed(Entry):
    """How a computed point follows from measured ones."""

    method: Text
    """Id of a method, as listed by `ingest.methods`."""
    inputs: dict[str, Path]
    """The method's input names → point ids; of `linear` any names."""
    constants: dict[str, Number] = Field(default_factory=dict)
    """What the method leaves to the plant (a stack's area); of `linear` one per input, and offset."""
    uncertainty_classes: dict[str, Text] = Field(default_factory=dict)
    """Constant → a row of the instrument table, relative (duct-area; exact of a coefficient that an
    instrument's uncertainty holds)."""
    gate: Gate | None = None
    """When it has no value; method `gated` passes one input on behind it."""


class Validity(Entry):
    """By which regime's rules hours and days of a point are valid."""

    regime: Literal["hj212", "mrr", "part75"]
    """hj212: 45 valid minutes, 20 valid hours; mrr: 80 % of the time; part75: a valid point in every quarter."""
    running: Path | None = None
    """Of part75 the state point whose unit must have run, that is not have been 0; default: it always runs."""


class Compare(Entry):
    """With what a measured point is compared: a redundant instrument, or what is computed from others.

    Over each hour of UTC that both have closed their figures are set side by side, of the intervals that both
    have whole, valid and not substituted. If they are too far apart, the intervals of the hour after it, and those of
    computed points that read the point, are at best uncertain, reason drift.
    """

    with_: Path = Field(alias="with")
    """The other point: of the same dimension and basis; a kW gauge may stand beside a kWh counter."""
    within: Tolerance
    """How far apart they may be: `2 %` of the other's figure, or a quantity in the point's dimension,
    of a counter or delta that of an hour. Of a point in % a quantity is written in ‰."""
    least_share: Share = 0.5
    """How much of the hour they must have in common; over less there is no verdict."""


class Point(Entry):
    """One measured or computed quantity at one place."""

    id: Path
    name: Text | None = None
    kind: Literal["counter", "delta", "gauge", "sample", "state"]
    unit: Text = "1"
    basis: Bases = ()
    """What the unit text leaves open; `%` can be dry or wet."""
    carrier: Segment | None = None
    product: Segment | None = None
    period: Span | None = None
    """Expected time between readings; what one delta reading spans. Of measured points."""
    max_gap: Span | None = None
    """Longest time a reading holds, or two are joined; default 10 periods, one day of a state."""
    sloped: Flag | None = None
    """Straight lines between readings; else a value holds to the next. Of gauges and samples."""
    stamp: Literal["start", "end"] | None = None
    """Which end of its period a delta reading is stamped with; default end."""
    limits: tuple[Number, Number] | None = None
    """Physically possible values; one outside is stored as bad."""
    max_rate: Rate | None = None
    """Fastest possible change, in its unit per hour or as `50 kW/s`.

    Of a counter it decides whether a rollover is possible. A gauge or sample that changed faster
    since its last used reading, at most max_gap ago, is uncertain, reason rate.
    """
    resolution: Positive | None = None
    """Size of one count of a counter or delta, in its unit, default 1e-6; smallest step that a gauge or
    sample can show, default 0."""
    stuck_after: Span | None = None
    """A gauge or sample whose readings stay within one resolution for so long is uncertain, reason stuck."""
    stuck_except: tuple[Number, Number] | None = None
    """Values at which it may stand still: [0, 0] of a machine that may be stopped."""
    modulus: Positive | None = None
    """Where a counter starts again at 0, in its unit."""
    on_fall: Literal["reset", "return"] | None = None
    """What to make of a fall that is back with the next reading: a reset, or (default) a glitch that is skipped."""
    fill_at_most: Span | None = None
    """Longest gap over which a counter's step is spread; beyond it the ledger lists the step. Default: any."""
    fill: Literal["flat", "same_hour", "production"] | None = None
    """How a counter's use of a gap is spread over its intervals; their total is the register's in any case.

    flat (default): evenly. same_hour: as the point's own amounts at the same local time on the seven days
    before that on which the gap begins, the mean of those that are whole. production: as the amounts of
    `fill_by` are. Where an interval has no such weight, or all are 0, the whole gap is flat,
    as is one during which a new version of this file was taken.
    """
    fill_by: Path | None = None
    """Of production the counter, delta or gauge whose amounts are the weights, measured or computed."""
    states: dict[Segment, Whole] = Field(default_factory=dict)
    """Names of a state point's codes."""
    min_valid_share: Share = 0.75
    """Below this share of valid time an interval is at best uncertain."""
    analysis: Segment | None = None
    """Of a sample the property that laboratory analyses give: it is what the newest approved one says that is valid for a
    time and no lot, nothing else is. Nobody publishes it; it is told anew every period, of 1h to 1d."""
    compare: Compare | None = None
    """By what it is seen to drift. Of measured points but states."""
    validity: Validity | None = None
    """When its hours and days are valid."""
    topics: tuple[Topic, ...] = ()
    formerly: tuple[Path, ...] = ()
    """Ids it had before; its history follows."""
    until: Instant | None = None
    """Retired at this instant."""
    computed: Computed | None = None


class Source(Entry):
    """A source of emissions: mass = activity · Π factors, or a measured mass flow."""

    id: Path
    name: Text | None = None
    unit: Path | None = None
    scope: Literal[1, 2, 3]
    category: Literal["combustion", "process", "fugitive", "purchased", "products", "combined"]
    """`products` is carbon that leaves in them, deducted; `combined` is a stack of several."""
    gas: Literal["co2", "ch4", "n2o", "sf6", "cf4", "c2f6", "nf3"]
    route: Literal["calculated", "measured"]
    activity: SourceActivity
    """The point whose amount drives it; of a measured route a mass flow of the gas. Or `{document: …}`."""
    factors: tuple[Segment, ...] = ()
    """Factors; of a documented activity also analyses."""
    account: Literal["gross", "biogenic", "captured", "fixed", "offset"] | None = None
    """In which account of the inventory it stands, default gross, of category products fixed. Never netted:
    what is captured, fixed or offset is told as a negative mass beside what was emitted."""
    factor_point: Path | None = None
    """A sample point that is a further factor, by its mean in each interval: a grid's hourly factor."""
    basis: Literal["location", "market"] | None = None
    """Of scope 2, by which account: the grid one stands in, or the contracts one has. Never added."""
    supply: Literal["grid", "green", "own", "export"] | None = None
    """Where electricity comes from or goes to, where that is told apart. Never added."""
    formerly: tuple[Path, ...] = ()
    regime: Regime | None = None
    """By whose rule its hours are made, beside the integral of `activity`. Of a measured route."""
    carbonates: Flag = False
    """Whether carbonates give off CO2 in it, as in a kiln: its CO2 does not follow from O2 and fuel."""

    @model_validator(mode="after")
    def _route(self) -> Self:
        if self.route == "calculated" and self.regime is not None:
            raise ValueError("no regime on a calculated route")
        factored = bool(self.factors) or self.factor_point is not None
        if self.route == "measured" and factored:
            raise ValueError("no factors on a measured route")
        if self.route == "calculated" and not factored:
            raise ValueError("at least one factor on a calculated route")
        if self.route == "measured" and isinstance(self.activity, Documented):
            raise ValueError("a point on a measured route")
        if self.factor_point is not None and isinstance(self.activity, Documented):
            raise ValueError("no factor_point of a documented activity, which has no intervals")
        if self.category == "products" and self.account not in (None, "fixed"):
            raise ValueError(f"no account {self.account} in category products, whose carbon is fixed")
        if self.basis is not None and self.scope != 2:
            raise ValueError(f"no basis in scope {self.scope}, location and market are of scope 2")
        return self


class Term(Entry):
    """A summand of a KPI: the amount of a point, or the mass of an emission source."""

    point: Path | None = None
    source: Path | None = None
    factors: tuple[Segment, ...] = ()
    weight: Number = 1.0
    """-1 takes a child from its parent."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.point is None) == (self.source is None):
            raise ValueError("either point or source")
        return self


class Kpi(Entry):
    """A figure: two sums over the same span, combined as its kind says."""

    id: Path
    name: Text | None = None
    kind: KpiKind
    unit: Text
    basis: Bases = ()
    """Which standard coal a kgce figure counts in: calorific or equal_value."""
    numerator: tuple[Term, ...] = Field(min_length=1)
    denominator: tuple[Term, ...] = ()
    windows: tuple[Span, ...] | None = None
    """Live windows; default those of the plant. None of a demand: its block is its window."""
    block: Span | None = None
    """Of a demand or load factor: as long as the meter's."""
    align: Literal["site", "utc"] | None = None
    """By whose clock blocks begin; default the site's, unless changes of its clock would cut them."""
    load_window: Span | None = None
    """Of a demand: over which the present load is taken that projects it; default 2min, at most half a block."""
    stale_after: Span | None = None
    """Data older than this give no figure; default 5min of a live plant, never of a replay."""
    formerly: tuple[Path, ...] = ()

    @model_validator(mode="after")
    def _shape(self) -> Self:
        paired = self.kind in {KpiKind.RATIO, KpiKind.POWER_FACTOR}
        if paired and not self.denominator:
            raise ValueError(f"a denominator for kind {self.kind}")
        if not paired and self.denominator:
            raise ValueError(f"no denominator for kind {self.kind}, which divides by covered hours")
        blocked = self.kind in {KpiKind.DEMAND, KpiKind.LOAD_FACTOR}
        if blocked and self.block is None:
            raise ValueError(f"a block for kind {self.kind}")
        if not blocked and self.block is not None:
            raise ValueError(f"no block for kind {self.kind}")
        if self.kind is KpiKind.DEMAND and self.windows is not None:
            raise ValueError("no windows for kind demand, whose window is its block")
        return self
