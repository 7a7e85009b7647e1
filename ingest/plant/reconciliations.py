"""Reconciliations of a plant file, checked and resolved for the plan.

Accounts must be of one gas and of scope 1: bought electricity never comes out of a stack.
What a comparison finds is the business of `ingest.reconciliation`.
"""

from collections.abc import Mapping

from ingest.plant.catalogue import Catalogue
from ingest.plant.plan import PlanSource
from ingest.plant.plan_reconciliation import PlanReconciliation
from ingest.plant.reconciliation_entries import FlueGas, Reconciliation
from ingest.plant.sentence import Place


def compile_reconciliations(
    catalogue: Catalogue, sources: Mapping[str, PlanSource]
) -> tuple[PlanReconciliation, ...]:
    """Those of a plant file, in its order."""
    entries = enumerate(catalogue.file.reconciliations)
    return tuple(compile_reconciliation(catalogue, i, entry, sources) for i, entry in entries)


def compile_reconciliation(
    catalogue: Catalogue, i: int, entry: Reconciliation, sources: Mapping[str, PlanSource]
) -> PlanReconciliation:
    """Resolve and check one; PlantError for what does not fit together."""
    place = ("reconciliations", i)
    measured = _source(catalogue, (*place, "measured"), entry.measured, sources, None)
    if measured.route != "measured":
        raise catalogue.fault((*place, "measured"), entry.measured, "a source of the measured route")
    calculated = tuple(
        (_source(catalogue, (*place, "calculated", j, "source"), one.source, sources, measured), one.lag)
        for j, one in enumerate(entry.calculated)
    )
    for j, (source, _) in enumerate(calculated):
        if source.route != "calculated":
            where = (*place, "calculated", j, "source")
            raise catalogue.fault(where, entry.calculated[j].source, "a source of the calculated route")
    extra = {
        key: tuple(
            _source(catalogue, (*place, key, j), one, sources, measured)
            for j, one in enumerate(getattr(entry, key))
        )
        for key in ("additions", "methods")
    }
    if entry.gas is not None:
        _check_gas(catalogue, (*place, "gas"), entry.gas, {one.source for one in entry.calculated})
    return PlanReconciliation(
        id=f"{catalogue.file.site}/{entry.id}",
        name=entry.name or entry.id,
        measured=measured,
        calculated=calculated,
        additions=extra["additions"],
        methods=extra["methods"],
        gas=entry.gas,
    )


def _source(
    catalogue: Catalogue,
    place: Place,
    named: str,
    sources: Mapping[str, PlanSource],
    measured: PlanSource | None,
) -> PlanSource:
    source = sources.get(named)
    if source is None:
        raise catalogue.fault(place, named, "the id of a source of this file")
    if source.scope != 1 or (measured is not None and source.gas != measured.gas):
        of = "" if measured is None else f" and of {measured.gas}"
        raise catalogue.fault(place, named, f"a source of scope 1{of}")
    return source


def _check_gas(catalogue: Catalogue, place: Place, gas: FlueGas, accounts: set[str]) -> None:
    for key in ("co2", "o2"):
        named = getattr(gas, key)
        point = catalogue.points.get(named)
        if point is None or point.kind != "sample" or "dry" not in catalogue.measure(
            (*place, key), point.unit, point.basis
        ).basis:  # fmt: skip
            raise catalogue.fault((*place, key), named, "the id of a sample of this file that is dry")
    for j, named in enumerate(gas.fuel):
        if named not in accounts:
            raise catalogue.fault((*place, "fuel", j), named, "one of the calculated sources above")
    if gas.product is not None and gas.product not in catalogue.points:
        raise catalogue.fault((*place, "product"), gas.product, "the id of a point of this file")
