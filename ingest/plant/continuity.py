"""What a new version of a plant must leave as it was, because stored facts rest on it.

Readings are stored in their point's unit, intervals and days by the site's length
and zone, and none of them says which. What means something else from now on is
something else and takes a new id. A site that has stored nothing may change at will.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

from ingest.errors import InputError
from ingest.model import Kind
from ingest.plant.fields import format_span
from ingest.plant.papers import PlanDocumented
from ingest.plant.plan import Plan, PlanKpi, PlanPoint, PlanSource

_COUNTED = (Kind.COUNTER, Kind.DELTA)

Named = TypeVar("Named", bound=PlanPoint | PlanKpi | PlanSource | PlanDocumented)


def check_continuity(old: Plan, new: Plan) -> None:
    """Raise InputError, one sentence, for the first thing that may not change from `old` to `new`."""
    for place, now, before, why in chain(
        _site(old, new), _points(old, new), _figures(old, new), _sources(old, new)
    ):
        if now != before:
            raise InputError(
                f"plant file of site {new.site!r}, version {new.version}: {place} is {now!r}; "
                f"expected {before!r}, as {why}"
            )


Comparison = tuple[str, Any, Any, str]
"""What is compared, as it is to be, as it was, and why it stays."""


def _site(old: Plan, new: Plan) -> Iterator[Comparison]:
    spans = format_span(new.interval_us), format_span(old.interval_us)
    yield "interval", *spans, "all stored intervals are that long"
    yield "time_zone", new.zone.key, old.zone.key, "stored days begin there"


def _points(old: Plan, new: Plan) -> Iterator[Comparison]:
    for now, before in _pairs(old.points, new.points):
        place, kept = now.id.removeprefix(f"{new.site}/"), "in its stored readings, or a new id"
        yield f"{place}: kind", now.kind.name.lower(), before.kind.name.lower(), kept
        yield f"{place}: unit", now.unit, before.unit, kept
        yield f"{place}: basis", list(now.basis), list(before.basis), kept
        if now.kind in _COUNTED:
            kept = "in its stored amounts, or a new id"
            yield f"{place}: resolution", now.resolution, before.resolution, kept


def _figures(old: Plan, new: Plan) -> Iterator[Comparison]:
    for now, before in _pairs(old.kpis, new.kpis):
        place, kept = now.id.removeprefix(f"{new.site}/"), "in its stored values, or a new id"
        yield f"{place}: kind", str(now.kind), str(before.kind), kept
        yield f"{place}: unit", now.unit, before.unit, kept
        yield f"{place}: basis", list(now.basis), list(before.basis), kept


def _sources(old: Plan, new: Plan) -> Iterator[Comparison]:
    for now, before in _pairs(old.sources, new.sources):
        place, kept = now.id.removeprefix(f"{new.site}/"), "in its stored masses, or a new id"
        yield f"{place}: gas", now.gas, before.gas, kept
    yield from _evidence(old, new)


def _evidence(old: Plan, new: Plan) -> Iterator[Comparison]:
    """A source's masses rest on a meter or on documents, and documents on counts and values in a unit."""
    kept = "in its stored masses, or a new id"
    was_told: tuple[PlanSource | PlanDocumented, ...] = (*old.sources, *old.documented)
    told: tuple[PlanSource | PlanDocumented, ...] = (*new.sources, *new.documented)
    for now, before in _pairs(was_told, told):
        place = now.id.removeprefix(f"{new.site}/")
        yield f"{place}: evidence", _told(now), _told(before), kept
    for given, was_given in _pairs(old.documented, new.documented):
        place = given.id.removeprefix(f"{new.site}/")
        yield f"{place}: gas", given.gas, was_given.gas, kept
    kept = "in its documents, or a new id"
    activities = {activity.id: activity for activity in old.activities}
    for activity in new.activities:
        was = activities.get(activity.id, activity)
        yield f"{activity.id}: unit", activity.unit, was.unit, kept
        yield f"{activity.id}: basis", list(activity.basis), list(was.basis), kept
        yield f"{activity.id}: resolution", activity.resolution, was.resolution, kept
    analyses = {analysis.id: analysis for analysis in old.analyses}
    for analysis in new.analyses:
        before_it = analyses.get(analysis.id, analysis)
        yield f"{analysis.id}: unit", analysis.unit, before_it.unit, kept
        yield f"{analysis.id}: basis", list(analysis.basis), list(before_it.basis), kept


def _told(source: PlanSource | PlanDocumented) -> str:
    return "documented" if isinstance(source, PlanDocumented) else "metered"


def _pairs(old: tuple[Named, ...], new: tuple[Named, ...]) -> Iterator[tuple[Named, Named]]:
    """What is in both versions, under whatever name."""
    before: Mapping[str, Named] = {was.id: was for was in old}
    for now in new:
        known = [before[name] for name in (now.id, *now.formerly) if name in before]
        if known:
            yield now, known[0]
