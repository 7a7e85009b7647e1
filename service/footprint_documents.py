"""Documents of footprints and allocations, as the API tells them."""

from pydantic import Field

from service.as_of import AsOfDocument
from service.documents import Document, Instant
from service.figures import QualityName
from service.uncertainty import UncertaintyDocument


class ShareDocument(Document):
    """What an order, or another owner, has of one meter or one source."""

    kind: str = Field(description="energy: a meter; emission: a source")
    id: str = Field(description="Full id of the point or source")
    shared: str | None = Field(description="The utility it belongs to; null: it is the unit's own")
    unit: str
    value: float | None = Field(description="Never rounded; null has a reason")
    reason: str | None = Field(
        description="gap: there is no data at all in its time; no_factor: some of it has no mass"
    )
    idle: float | None = Field(description="Of it while the machine idled")
    per_quantity: float | None = Field(
        description="value by the good quantity; null: nothing was made, or not told"
    )
    carrier: str | None
    scope: int | None
    category: str | None
    route: str | None = Field(
        description="measured or calculated: two accounts of the same gas, never to be added"
    )
    gas: str | None
    account: str | None
    basis: str | None
    supply: str | None
    co2e_kg: float | None = Field(description="Of an emission, by the site's GWP set; null: not listed")
    quality: QualityName
    reasons: list[str]
    covered_share: float = Field(description="Of its time, for how much there is data: value is of that")
    valid_share: float = Field(description="Of its time")
    substituted_share: float
    revision: int
    known_at: Instant | None
    plan_versions: list[int]
    uncertainty: UncertaintyDocument | None = Field(description="Of value; null of no value")


class Co2eDocument(Document):
    """CO2e that may be added up: one scope, account, route, basis and supply."""

    scope: int
    account: str
    route: str
    basis: str | None
    supply: str | None
    co2e_kg: float | None = Field(
        description="null: a gas is not listed by the GWP set, or a source has no value"
    )
    per_quantity: float | None
    uncertainty: UncertaintyDocument | None = Field(
        description="Of co2e_kg: what its sources have in common counts once"
    )


class QuantityDocument(Document):
    """How much was made."""

    good: float | None
    scrap: float | None
    measure: str | None
    told_by: str | None = Field(description="statements: the MES; output: the units' meters; null: nothing")
    reason: str | None


class CostDocument(Document):
    """What the energy cost at the prices of its time."""

    value: float
    exact: str = Field(description="The same as a decimal or a fraction")
    export: float = Field(description="What exported energy brought; not taken off")
    currency: str
    without: list[str] = Field(description="Meters with an amount and no price")


class ToldDocument(Document):
    """A revision of the footprint as it was told."""

    revision: int
    cause: str
    known_at: Instant
    batch_no: int


class FootprintDocument(Document):
    """Energy, cost and carbon of an order, gate to gate of its units."""

    id: str = Field(description="The MES's own")
    site: str
    product: str | None
    batch: str | None
    closed: bool = Field(description="Nothing more is expected of it")
    from_: Instant | None = Field(alias="from", description="null: it has not run")
    to: Instant | None
    units: list[str]
    quantity: QuantityDocument
    shares: list[ShareDocument]
    energy_kwh: dict[str, float | None] = Field(
        description="By carrier, of meters of energy, utilities included"
    )
    co2e: list[Co2eDocument]
    cost: CostDocument | None = Field(
        description="null: nothing of it has a price; demand and carbon are not in it"
    )
    left_out: list[str] = Field(description="Sources of its units that documents tell: known for no instant")
    energy_uncertainty: dict[str, UncertaintyDocument] = Field(
        description="Of energy_kwh; the key of a utility and the times the MES told are taken as exact"
    )
    method: str
    told: list[ToldDocument] = Field(description="Revisions so far, oldest first")
    plan_version: int
    as_of: AsOfDocument
