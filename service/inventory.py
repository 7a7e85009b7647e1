"""The inventory: what lines of emissions say, and what may be added up of them.

A line is one gas of one group by one route, of one account and one evidence. Masses of gases become
CO2e by a named set of global warming potentials, and only CO2e is added over gases: per
scope, account and route, each apart. What is biogenic, captured, fixed in products or
offset stands beside the gross emissions and is never netted with them, save in the balance
of a boundary, which is just that and says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ingest.methods.figures import KpiKind
from ingest.methods.gwp import GWP100
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan, PlanSource
from ingest.uncertainty.joined import merged
from service.as_of import AsOfDocument
from service.documents import Document, Page
from service.figures import Figure, exact_sum
from service.uncertainty import Sureness, UncertaintyDocument

GroupBy = Literal["scope", "category", "source", "method", "gas", "account", "evidence"]
Account = Literal["gross", "biogenic", "captured", "fixed", "offset", "attributed"]
Evidence = Literal["metered", "documented"]
GwpSet = Literal["SAR", "AR4", "AR5", "AR6"]
Sum = tuple[float | None, str | None]
"""A sum and no reason, or no sum and the reason."""


class EmissionFigure(Figure):
    """The mass of one gas that one group emitted by one route, in kg."""

    site: str
    group: str = Field(description="The scope, category, source, method, gas, account or evidence")
    route: Literal["measured", "calculated"] = Field(
        description="Two accounts of the same gas: never add them"
    )
    gas: str
    basis: Literal["location", "market"] | None = Field(
        description="Of scope 2: two accounts of the same energy, never to be added; null: not declared"
    )
    supply: Literal["grid", "green", "own", "export"] | None = Field(
        description="Where electricity came from or went to, told apart; null: not declared"
    )
    account: Account = Field(
        description="gross; beside it biogenic, and as negative masses captured, fixed and offset: never netted;"
        " attributed: what a unit emits of what a boundary's balance holds already"
    )
    evidence: Evidence = Field(description="Whether meters or documents tell it")
    co2e_kg: float | None = Field(
        description="`value` by the GWP set of the answer; null: neither, or not listed"
    )
    sources: list[str] = Field(description="Full ids of the sources in the group")
    factors: list[str] = Field(description="Ids of its factors and analyses; values stand in `factors` above")
    unconfirmed: list[str] = Field(description="Those of them whose value nobody has confirmed")
    defaulted: list[str] = Field(description="Factors that stood in where no approved analysis covers")
    documents: list[int] = Field(description="Numbers of the documents and analyses it rests on")
    mrr_tier: int | None = Field(
        None,
        description="Of the measured route: the highest tier of MRR annex VIII whose limit U keeps over this span"
        " (the rule asks it of a year); 0: none; null: not known",
    )


class StepUsed(Document):
    """What a factor is from an instant on."""

    since: str
    value: float | None
    source: str
    trust: str


class FactorUsed(Document):
    """A factor of the answer, as a version of the plant file has it."""

    site: str
    plan_version: int
    id: str
    value: float | None = Field(description="null: of an analysis, or it changes with time, see series")
    unit: str
    basis: list[str]
    source: str | None
    trust: str | None
    series: list[StepUsed]


class Co2eTotal(Document):
    """All gases of one scope, account, route, basis and supply of a site."""

    site: str
    scope: int
    account: Account
    route: Literal["measured", "calculated"]
    basis: str | None
    supply: str | None
    co2e_kg: float | None
    reason: str | None = Field(
        description="Why it is null: the reason of a line, gwp: a gas is not listed, spans: lines end apart"
    )


class AttributedDocument(Document):
    """What one source tells of a boundary's balance."""

    source: str
    unit: str | None
    mass_kg: float | None
    reason: str | None


class BoundaryDocument(Document):
    """What crosses a fence, and which units emit it: their masses and the rest add up to it."""

    site: str
    id: str
    name: str
    gas: str
    balance_kg: float | None
    reason: str | None = Field(description="Why it is null: that of a source, or spans: sources end apart")
    uncertainty: UncertaintyDocument | None = Field(
        description="Of the balance: what its sources share is counted once, with its sign; null: it has no value"
    )
    attributed: list[AttributedDocument]
    unallocated_kg: float | None = Field(description="The balance less what is attributed; may be below 0")


class EmissionsPage(Page[EmissionFigure]):
    """The groups of all sites."""

    gwp: dict[str, str] = Field(description="By site id the set of global warming potentials")
    totals: list[Co2eTotal] = Field(description="Of group_by=scope; scopes, accounts and routes apart")
    boundaries: list[BoundaryDocument] = Field(description="Of group_by=source")
    factors: list[FactorUsed]
    as_of: dict[str, AsOfDocument] = Field(description="By site id")


@dataclass(frozen=True, slots=True)
class Potentials:
    """A set of global warming potentials."""

    name: str

    @classmethod
    def of(cls, plan: Plan, asked: GwpSet | None) -> "Potentials":
        """The set asked for, else the site's."""
        return cls(asked or plan.file.gwp)

    def co2e_kg(self, gas: str, mass_kg: float | None) -> float | None:
        """CO2e of a mass; None where the set does not list the gas."""
        potential = GWP100[self.name].get(gas)
        return None if mass_kg is None or potential is None else mass_kg * potential


def apart(
    source: PlanSource | PlanDocumented, group_by: GroupBy, evidence: Evidence
) -> tuple[str | None, ...]:
    """What tells the line of a source from others: its group, and all that is never added."""
    route = "calculated" if isinstance(source, PlanDocumented) else source.route
    group = group_of(source, group_by, evidence)
    return group, route, source.gas, source.account, source.basis, source.supply


def group_of(source: PlanSource | PlanDocumented, group_by: GroupBy, evidence: Evidence) -> str:
    """The group a source is in."""
    match group_by:
        case "scope":
            return str(source.scope)
        case "category":
            return source.category
        case "source":
            return source.id
        case "method":
            return source.method
        case "gas":
            return source.gas
        case "account":
            return source.account
        case "evidence":
            return evidence


def totals(lines: Sequence[EmissionFigure]) -> list[Co2eTotal]:
    """CO2e of lines grouped by scope, over gases and evidence; lines that end apart are not added."""
    groups: dict[tuple[str | None, ...], list[EmissionFigure]] = {}
    for line in lines:
        if line.account != "attributed":
            key = line.site, line.group, line.account, line.route, line.basis, line.supply
            groups.setdefault(key, []).append(line)
    made = []
    for members in groups.values():
        first, (co2e_kg, reason) = members[0], _total(members, "co2e_kg")
        made.append(
            Co2eTotal(
                site=first.site,
                scope=int(first.group),
                account=first.account,
                route=first.route,
                basis=first.basis,
                supply=first.supply,
                co2e_kg=co2e_kg,
                reason=reason,
            )
        )
    return made


def balances(
    plan: Plan, lines: Sequence[EmissionFigure], sure: Mapping[str, Sureness]
) -> list[BoundaryDocument]:
    """The boundaries of a site, from its lines grouped by source and how sure each is."""
    by_source = {line.sources[0].removeprefix(f"{plan.site}/"): line for line in lines}
    units = {source.id: source.unit for source in plan.sources}
    units |= {source.id: source.unit for source in plan.documented}
    made = []
    for boundary in plan.file.boundaries:
        total, reason = _total([by_source[name] for name in boundary.sources], "value")
        first = by_source[boundary.sources[0]]
        span = {(by_source[name].from_, by_source[name].to) for name in boundary.sources}
        parts = []
        for name in boundary.attributed:
            line = by_source[name]
            there = line.value is not None and {(line.from_, line.to)} == span
            parts.append(
                AttributedDocument(
                    source=line.id,
                    unit=units[line.id],
                    mass_kg=line.value if there else None,
                    reason=None if there else line.reason or "spans",
                )
            )
        known = [part.mass_kg for part in parts if part.mass_kg is not None]
        rest = (
            None if total is None or len(known) < len(parts) else exact_sum([total, *(-one for one in known)])
        )
        made.append(
            BoundaryDocument(
                site=plan.site,
                id=boundary.id,
                name=boundary.name,
                gas=first.gas,
                balance_kg=total,
                reason=reason,
                uncertainty=_sureness([sure[by_source[name].id] for name in boundary.sources]).document(
                    total, (total or 0.0, 0.0), (first.from_ or 0, first.to or 0)
                ),
                attributed=parts,
                unallocated_kg=rest,
            )
        )
    return made


def _sureness(parts: Sequence[Sureness]) -> Sureness:
    """Of a sum of sources."""
    reason = next((one.reason for one in parts if one.reason is not None), None)
    correlations = next((one.correlations for one in parts if one.correlations), None)
    found = () if reason is not None else merged([one for part in parts for one in part.found])
    return Sureness(KpiKind.TOTAL, found, reason, correlations)


def _total(lines: Sequence[EmissionFigure], figure: Literal["value", "co2e_kg"]) -> Sum:
    """The correctly rounded sum of one figure of lines of one span, or why there is none."""
    missing = next((line for line in lines if line.value is None), None)
    if missing is not None:
        return None, missing.reason
    if len({(line.from_, line.to) for line in lines}) > 1:
        return None, "spans"
    parts: list[float | None] = [getattr(line, figure) for line in lines]
    known = [part for part in parts if part is not None]
    return (exact_sum(known), None) if len(known) == len(parts) else (None, "gwp")
