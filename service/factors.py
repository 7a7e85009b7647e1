"""Factors as the API tells them: rows of the ledger, and what plants use, in one shape."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from ingest.factors import FactorRow, ledger
from ingest.plant.factors import Factor, FactorStep
from ingest.plant.plan import Plan
from service.documents import Document


class FactorItem(Document):
    """A coefficient with where it holds and where it was read."""

    site: str | None = Field(description="The site whose plant file has it; null: a row of the ledger")
    id: str | None = Field(description="Its id there, with the site in front; null: of the ledger")
    kind: str | None = Field(description="What it is of: ncv, oxidation, grid, gwp100, …; null: not told")
    subject: str | None = Field(description="Of which fuel, gas, material or method")
    geography: str | None
    equipment: str | None
    edition: str | None
    data_year: int | None = Field(description="The year whose data it is made of")
    published: str | None
    value: float | None = Field(description="null: there is none, or a range; `note` says why")
    low: float | None = Field(description="Of a range, from which the plant takes its own value")
    high: float | None
    unit: str
    basis: list[str]
    reference: str | None = Field(description="What else it is per or at")
    gwp: str | None
    valid_from: str | None = Field(description="A day, or of a plant's series an instant")
    valid_to: str | None = Field(description="First day on which it holds no more")
    source: str
    trust: Literal["R", "RF", "P", "unconfirmed"] = Field(
        description="R read in the rule, RF its formula read, P a peer's; else unconfirmed"
    )
    note: str | None


def of_ledger() -> Iterator[FactorItem]:
    """The rows that are shipped."""
    return map(_row, ledger())


def of_plan(plan: Plan) -> Iterator[FactorItem]:
    """The factors of a plan, a series step by step."""
    for factor in plan.file.factors:
        if not factor.series:
            yield _used(plan, factor)
            continue
        ends = [step.since.isoformat() for step in factor.series[1:]]
        for step, until in zip(factor.series, [*ends, None], strict=True):
            yield _used(plan, factor, step, until)


def _row(row: FactorRow) -> FactorItem:
    return FactorItem(
        site=None,
        id=None,
        kind=row.kind,
        subject=row.subject,
        geography=row.geography,
        equipment=row.equipment,
        edition=row.edition,
        data_year=row.data_year,
        published=None if row.published is None else row.published.isoformat(),
        value=row.value.number,
        low=row.value.low,
        high=row.value.high,
        unit=row.unit,
        basis=list(row.basis),
        reference=row.reference,
        gwp=row.gwp,
        valid_from=None if row.valid_from is None else row.valid_from.isoformat(),
        valid_to=None if row.valid_to is None else row.valid_to.isoformat(),
        source=row.source,
        trust=row.trust,
        note=row.note,
    )


def _used(plan: Plan, factor: Factor, step: FactorStep | None = None, until: str | None = None) -> FactorItem:
    one = factor if step is None else step
    key = one.look_up
    assert one.source is not None
    assert one.trust is not None
    return FactorItem(
        site=plan.site,
        id=f"{plan.site}/{factor.id}",
        kind=key.kind if key is not None else "grid" if factor.kind is not None else None,
        subject=key.subject if key is not None else factor.kind,
        geography=factor.region,
        equipment=None if key is None else key.equipment,
        edition=one.edition,
        data_year=one.data_year,
        published=one.published,
        value=one.value,
        low=None,
        high=None,
        unit=factor.unit,
        basis=list(factor.basis),
        reference=None,
        gwp=None if key is None else key.gwp,
        valid_from=None if step is None else step.since.isoformat(),
        valid_to=until,
        source=one.source,
        trust=one.trust,
        note=factor.name,
    )
