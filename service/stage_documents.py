"""What is told of a chain of stages."""

from pydantic import Field

from service.as_of import AsOfDocument
from service.documents import Document, Instant


class StageLine(Document):
    """The mass of one gas; masses of gases are not added, nor location- and market-based ones."""

    scope: int
    gas: str
    basis: str | None
    supply: str | None
    mass_kg: float
    co2e_kg: float = Field(description="By the site's GWP set")


class CarriedDocument(Document):
    """What a stage took of a product, and what that carried."""

    product: str
    quantity: float | None = Field(description="null: the count has a gap")
    unit: str
    co2e_kg: float


class OutputDocument(Document):
    """A product of a stage over the span."""

    product: str
    unit: str
    quantity: float
    co2e_kg: float = Field(description="Carried by what was made")
    left_quantity: float
    left_co2e_kg: float
    stock_before: float
    stock_before_co2e_kg: float
    stock_after: float
    stock_after_co2e_kg: float
    reasons: list[str] = Field(description="Why a figure per unit would be wrong")


class StageDocument(Document):
    """One stage: own + bought + carried in = its outputs + without production + uncounted."""

    id: str
    name: str
    own: list[StageLine]
    own_co2e_kg: float
    bought_co2e_kg: float
    inputs: list[CarriedDocument]
    without_production_co2e_kg: float = Field(description="Of days on which nothing was made")
    uncounted_co2e_kg: float = Field(description="Of days whose production has a gap")
    outputs: list[OutputDocument]


class ClosingDocument(Document):
    """opening + own + bought = left + stock + without production + uncounted, kg CO2e."""

    opening: float
    own: float
    bought: float
    left: float
    stock: float
    without_production: float
    uncounted: float
    difference: float = Field(description="In exact arithmetic, before anything is rounded")


class StagesDocument(Document):
    """A plant's chain over a span."""

    site: str
    from_: Instant = Field(alias="from")
    to: Instant = Field(description="Closed up to here; at most what was asked")
    books_begin: Instant = Field(description="The walk starts here")
    stages: list[StageDocument] = Field(description="Makers before users")
    outside: list[StageLine] = Field(description="Of sources that are of no stage")
    totals: list[StageLine] = Field(
        description="Stages and outside: what /v1/emissions says of the same span, calculated, gross, metered"
    )
    balance: ClosingDocument
    plan_version: int
    as_of: AsOfDocument


class ProductFootprintDocument(Document):
    """What one unit of a product carries out of its stage."""

    id: str
    site: str
    from_: Instant = Field(alias="from")
    to: Instant
    value: float | None = Field(description="t CO2e per unit of the product")
    unit: str = Field(examples=["t/t"])
    reasons: list[str] = Field(description="Why it is null")
    quantity: float
    co2e_kg: float
    stages: list[StageDocument] = Field(description="Its stage and those upstream, makers before users")
    plan_version: int
    as_of: AsOfDocument
