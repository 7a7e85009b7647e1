"""The kinds of figures that can be explained, and an explanation put together from what its kind says.

A new kind of figure is a name in `Kind` and a function (`service.explaining.Explain`) in `KINDS`.
"""

from typing import Literal

from ingest.methods.kernel_version import kernel_version
from service import explain_amounts, explain_documents, explain_emissions, explain_kpis
from service.as_of import Known
from service.explain_inputs import (
    batches,
    changes,
    gaps_of,
    inputs_of,
    plan_versions,
    points_used,
    readings_of,
    told,
)
from service.explaining import Explain, Explanation, Found, ReadingUsed, Wanted, not_explained, page_of
from service.factor_book import factor_book
from service.plans import PlanCache, SitePlan
from service.problems import ProblemError, invalid
from service.store import Connection
from service.times import format_instant

Kind = Literal["kpi", "emission", "amount", "sealed", "hour", "demand", "cost"]


async def _emission(
    connection: Connection, plans: PlanCache, site: SitePlan, wanted: Wanted, known: Known
) -> Found:
    """A line of emissions, by a source that it holds: meters or documents tell it."""
    if any(one.id == wanted.id for one in site.plan.sources):
        return await explain_emissions.explain(connection, plans, site, wanted, known)
    if any(one.id == wanted.id for one in site.plan.documented):
        return await explain_documents.explain(connection, plans, site, wanted, known)
    raise ProblemError("unknown-source", f"There is no source {wanted.id!r}.")


def _refused(sentence: str) -> Explain:
    """Of a kind that is known and not explained."""

    async def refuse(
        _connection: Connection, _plans: PlanCache, _site: SitePlan, _wanted: Wanted, _known: Known
    ) -> Found:
        raise not_explained(sentence)

    return refuse


KINDS: dict[Kind, Explain] = {
    "kpi": explain_kpis.explain,
    "emission": _emission,
    "amount": explain_amounts.explain,
    "sealed": _refused(
        "A sealed figure is explained as kpi or emission over its period, with as_of = the batch_no of its total; of a"
        " point's total ask for the amounts of its hours or days so."
    ),
    "hour": _refused("An hour of a regime is told with what it rests on by /v1/sources/{id}/hours."),
    "demand": _refused(
        "A projected demand rests on an open block, of which nothing is kept: ask for kpi once the block is closed."
    ),
    "cost": _refused(
        "Costs are not explained here: /v1/costs tells them by tariff period, from amounts that are."
    ),
}


async def explanation(
    connection: Connection, plans: PlanCache, site: SitePlan, kind: Kind, wanted: Wanted, known: Known
) -> Explanation:
    """A page of the explanation of a figure; all of it `known`.

    Raises:
        ProblemError: there is no such figure, or it cannot be explained whole.
    """
    found = await KINDS[kind](connection, plans, site, wanted, known)
    rows, following = page_of(wanted, found.rows)
    inputs = await inputs_of(connection, rows, known)
    items = [told(one, inputs) for one in rows]
    below = [each for one in items for each in one.inputs]
    versions = {one.plan_version for one in found.rows} | {one.plan_version for one in below}
    return Explanation(
        kind=kind,
        figure=found.figure,
        method=found.method,
        arithmetic=found.arithmetic,
        sums=found.sums,
        parameters=found.parameters,
        terms=found.terms,
        factors=found.factors,
        points=points_used(
            site.plan,
            found.points,
            await factor_book(connection, site.plan, ()),
            wanted.from_at,
            wanted.to_at,
        ),
        gaps=await gaps_of(connection, site.plan, found.points, rows, known),
        changes=await changes(connection, rows, found.own, known),
        batches=await batches(
            connection, site.site_no, {one.batch_no for one in items} | {one.batch_no for one in below}
        ),
        readings=await _readings(connection, site, wanted, found, known),
        plan_versions=await plan_versions(connection, site.site_no, versions),
        kernels=kernel_version(),
        as_of=known.document,
        rows=len(found.rows),
        items=items,
        next=following,
    )


async def _readings(
    connection: Connection, site: SitePlan, wanted: Wanted, found: Found, known: Known
) -> list[ReadingUsed]:
    if wanted.at is None:
        return []
    row = next((one for one in found.rows if one.from_at == wanted.at), None)
    if row is None:
        raise invalid("Query parameter", "at", format_instant(wanted.at), "the begin of a row of the figure")
    return await readings_of(connection, site.plan, row, known)
