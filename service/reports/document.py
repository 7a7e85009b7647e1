"""What a report is: a head that says of what it is and how it was made, and blocks, each what one route answers.

Every block names that route with its query (`href`), so that each number can be asked for again. A block that cannot be
made has no items and a reason.
"""

from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import Field

from service.as_of import AsOfDocument
from service.documents import Document, Instant
from service.inventory import FactorUsed
from service.periods import Basis, PeriodDocument
from service.reports.spans import Kind
from service.times import format_instant

BlockId = Literal[
    "energy", "intensity", "inventory", "category", "gas", "account", "demand", "quality", "gaps", "alerts",
    "alarm_quality", "costs", "orders", "regimes", "adjustments",
]  # fmt: skip


class Block(Document):
    """One part of a report."""

    id: BlockId
    basis: Basis = Field(
        description="sealed: `sealed` of each item is frozen, `current` beside it is not; current: all of it is as it is"
        " now, also in a report of a sealed period, for a seal does not freeze it"
    )
    href: str | None = Field(
        description="The route that says the same; null: each item has its own, or the block has none"
    )
    reason: str | None = Field(description="Why there are no items, or not all")
    head: dict[str, Any] = Field(description="What the route says once beside its items")
    items: list[dict[str, Any]] = Field(description="As the route has them")


class Method(Document):
    """How figures were made and what they rest on, by what is stored now: a seal freezes figures, not these."""

    plan_version: int = Field(description="The plan in force now; each figure names that which made it")
    gwp: str = Field(description="Set of global warming potentials of CO2e")
    methods: list[str] = Field(description="Of the emissions in it")
    factors: list[FactorUsed] = Field(description="Factors in it: value, unit, source with edition, trust")
    boundaries: list[dict[str, Any]] = Field(
        description="What crosses each fence of the plant, and who emits it"
    )
    uncertainty: str = Field(description="What U is")


class Report(Document):
    """A report."""

    site: str
    name: str
    kind: Kind
    period: str
    basis: Basis
    time_zone: str
    from_: Instant = Field(alias="from")
    to: Instant
    until: Instant = Field(description="End of what is told; before `to` while the period runs")
    provisional: bool = Field(
        description="The period runs, or is not wholly closed: figures may still change"
    )
    made_at: Instant
    as_of: AsOfDocument
    sealed: PeriodDocument | None = Field(description="The edition it tells; null: current")
    method: Method
    blocks: list[Block]


UNCERTAINTY = "U = k u with k = 2, 95 %; u combines instruments, factors and substitutes (GUM)"


def address(path: str, **asked: str | int) -> str:
    """A route with its query; instants in µs."""
    told = {
        name.rstrip("_"): format_instant(value) if isinstance(value, int) else value
        for name, value in asked.items()
    }
    return f"{path}?{urlencode(told)}"


def failed(block: BlockId, href: str | None, reason: str) -> Block:
    """A block that cannot be made."""
    return Block(id=block, basis="current", href=href, reason=reason, head={}, items=[])
