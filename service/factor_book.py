"""Which factors figures were made with: of the versions of the plant file that made them.

A figure names its versions; what a source's factors were worth stands in the stored
body of each, so a later change of the file cannot put another value beside an old figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan, PlanSource
from service.inventory import FactorUsed, StepUsed
from service.store import Connection, rows

_UNCONFIRMED = "unconfirmed"


@dataclass(slots=True)
class FactorBook:
    """The factors of some versions of a site's plant file."""

    site: str
    versions: Mapping[int, Mapping[str, Any]]
    """Version → body."""
    points: Sequence[str]
    """Full ids of the points of the plan in force, by index."""
    used: dict[tuple[int, str], FactorUsed] = field(default_factory=dict)
    """Those that were asked for, by version and id."""

    def of(
        self, sources: Iterable[tuple[PlanSource | PlanDocumented, Iterable[int]]]
    ) -> tuple[list[str], list[str]]:
        """Ids of the factors of sources under versions, and those of them that are unconfirmed."""
        named: dict[str, bool] = {}
        for source, versions in sources:
            names = {name.removeprefix(f"{self.site}/") for name in (source.id, *source.formerly)}
            for version in sorted(versions):
                for factor in self._factors(version, names):
                    named[factor.id] = named.get(factor.id, False) or _unconfirmed(factor)
            point = source.factor_point if isinstance(source, PlanSource) else None
            if point is not None:
                named.setdefault(self.points[point], False)
        return list(named), [name for name, unconfirmed in named.items() if unconfirmed]

    def default(self, version: int, factor_id: str) -> bool:
        """Note a factor that stood in for an analysis; whether it is unconfirmed."""
        factors = {factor["id"]: factor for factor in self.versions.get(version, {}).get("factors", ())}
        if factor_id not in factors:
            return False
        return _unconfirmed(self._note(version, factors[factor_id]))

    def named(self, version: int, factor_id: str) -> FactorUsed | None:
        """A factor or analysis of a version; None if it has none of that name."""
        body = self.versions.get(version, {})
        entries = (entry for key in ("factors", "analyses") for entry in body.get(key, ()))
        found = next((entry for entry in entries if entry["id"] == factor_id), None)
        return None if found is None else self._note(version, found)

    def _factors(self, version: int, names: set[str]) -> list[FactorUsed]:
        body = self.versions.get(version, {})
        known = {entry["id"]: entry for key in ("factors", "analyses") for entry in body.get(key, ())}
        wanted = [source for source in body.get("sources", ()) if source["id"] in names]
        return [
            self._note(version, known[name])
            for source in wanted
            for name in source["factors"]
            if name in known
        ]

    def _note(self, version: int, entry: Mapping[str, Any]) -> FactorUsed:
        return self.used.setdefault(
            (version, entry["id"]),
            FactorUsed(
                site=self.site,
                plan_version=version,
                id=entry["id"],
                value=entry.get("value"),
                unit=entry["unit"],
                basis=list(entry.get("basis", ())),
                source=entry.get("source"),
                trust=entry.get("trust"),
                series=[
                    StepUsed(**{name: step.get(name) for name in StepUsed.model_fields})
                    for step in entry.get("series", ())
                ],
            ),
        )


def _unconfirmed(factor: FactorUsed) -> bool:
    return _UNCONFIRMED in (factor.trust, *(step.trust for step in factor.series))


async def factor_book(connection: Connection, plan: Plan, versions: Iterable[int]) -> FactorBook:
    """The book of a site's versions; the one in force at least."""
    found = await rows(
        connection,
        """
        SELECT version, body FROM plan_version JOIN site USING (site_no) WHERE id = %s AND version = ANY(%s)
        """,
        [plan.site, sorted({plan.version, *versions})],
    )
    return FactorBook(plan.site, dict(found), [point.id for point in plan.points])
