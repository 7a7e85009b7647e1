"""Whether a plant file agrees with itself: every id once, every reference found, spans that fit.

Looks at ids and spans only; what units mean to each other is the compiler's. The
first fault in the order of the file is raised, as one sentence.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from ingest.methods.figures import KpiKind
from ingest.model import HOUR
from ingest.plant.activities import Documented
from ingest.plant.blocks import check_blocks, clock_offsets
from ingest.plant.entries import Kpi, Term, Unit
from ingest.plant.fields import format_span
from ingest.plant.file import PlantFile
from ingest.plant.points import check_points
from ingest.plant.sentence import Place, absent, fault

_NAMED = (
    *("carriers", "products", "factors", "points", "activities", "analyses", "sources", "boundaries"),
    *(
        "kpis",
        "tariffs",
        "demand_charges",
        "alerts",
        "webhooks",
        "benchmarks",
        "targets",
        "instruments",
        "reconciliations",
        "stages",
    ),
)
"""Lists whose entries have an id."""

Known = Mapping[str, frozenset[str]]
"""List → the ids in it."""


def check_references(file: PlantFile) -> None:
    """Raise PlantError for the first id or span that does not fit."""
    _check_spans(file)
    units = unit_paths(file)
    for key in _NAMED:
        _check_unique(file, key, getattr(file, key))
    known = {key: frozenset(entry.id for entry in getattr(file, key)) for key in _NAMED}
    check_points(file, frozenset(units))
    _check_activities(file, known)
    _check_sources(file, frozenset(units), known)
    _check_boundaries(file, known)
    for i, kpi in enumerate(file.kpis):
        _check_kpi(file, kpi, ("kpis", i), known)
    _check_business(file, known)
    for i, webhook in enumerate(file.webhooks):
        for j, unit in enumerate(webhook.units):
            _check_known(file, ("webhooks", i, "units", j), unit, units, "unit")


def unit_paths(file: PlantFile) -> dict[str, Unit]:
    """Path of every unit of the tree, parents before children.

    Raises PlantError for a path that stands twice.
    """
    paths: dict[str, Unit] = {}

    def walk(units: Sequence[Unit], parent: str, place: Place) -> None:
        for i, unit in enumerate(units):
            path = f"{parent}{unit.id}"
            if path in paths:
                raise fault(file.origin, (*place, i, "id"), unit.id, "an id that no other unit beside it has")
            paths[path] = unit
            walk(unit.units, f"{path}/", (*place, i, "units"))

    walk(file.units, "", ("units",))
    return paths


def live_windows(file: PlantFile, kpi: Kpi) -> tuple[int, ...]:
    """The windows a KPI is kept for: its own, else the plant's as far as its block divides them; µs."""
    if kpi.kind is KpiKind.DEMAND and kpi.block is not None:
        return (kpi.block,)
    if kpi.windows is not None:
        return kpi.windows
    return tuple(window for window in file.windows if window % (kpi.block or file.interval) == 0)


def _check_spans(file: PlantFile) -> None:
    if file.interval <= 0 or HOUR % file.interval:
        raise fault(file.origin, ("interval",), format_span(file.interval), "a duration that divides 1h")
    for offset in sorted({abs(offset) for offset in clock_offsets(file.time_zone)}):
        if offset % file.interval:
            expected = f"a duration that divides 1h and the {format_span(offset)} of {file.time_zone} to UTC"
            raise fault(file.origin, ("interval",), format_span(file.interval), expected)
    for i, window in enumerate(file.windows):
        _check_window(file, window, ("windows", i))


def _check_window(file: PlantFile, window: int, place: Place) -> None:
    if window <= 0 or window % file.interval:
        expected = f"a multiple of the interval, {format_span(file.interval)}"
        raise fault(file.origin, place, format_span(window), expected)


def _check_unique(file: PlantFile, key: str, entries: Iterable[Any]) -> None:
    seen: set[str] = set()
    for i, entry in enumerate(entries):
        if entry.id in seen:
            raise fault(file.origin, (key, i, "id"), entry.id, f"an id that stands once in {key}")
        seen.add(entry.id)
    for i, entry in enumerate(entries):
        for j, former in enumerate(getattr(entry, "formerly", ())):
            if former in seen:
                raise fault(file.origin, (key, i, "formerly", j), former, "an id that is in use no more")


def _check_known(file: PlantFile, place: Place, value: str | None, known: Container[str], what: str) -> None:
    if value is not None and value not in known:
        raise fault(file.origin, place, value, f"the id of a {what} of this file")


def _check_activities(file: PlantFile, known: Known) -> None:
    for i, activity in enumerate(file.activities):
        _check_known(file, ("activities", i, "carrier"), activity.carrier, known["carriers"], "carrier")
        _check_known(file, ("activities", i, "product"), activity.product, known["products"], "product")
    for i, analysis in enumerate(file.analyses):
        _check_known(file, ("analyses", i, "default"), analysis.default, known["factors"], "factor")
        if analysis.default in {factor.id for factor in file.factors if factor.series}:
            raise fault(file.origin, ("analyses", i, "default"), analysis.default, "a factor of one value")
        if analysis.id in known["factors"]:
            raise fault(file.origin, ("analyses", i, "id"), analysis.id, "an id that no factor has")


def _check_sources(file: PlantFile, units: frozenset[str], known: Known) -> None:
    factors = {factor.id: factor for factor in file.factors}
    samples = {point.id for point in file.points if point.kind == "sample"}
    for i, source in enumerate(file.sources):
        _check_known(file, ("sources", i, "unit"), source.unit, units, "unit")
        if isinstance(source.activity, Documented):
            where = ("sources", i, "activity", "document")
            _check_known(file, where, source.activity.document, known["activities"], "documented activity")
        else:
            _check_known(file, ("sources", i, "activity"), source.activity, known["points"], "point")
        _check_known(file, ("sources", i, "factor_point"), source.factor_point, samples, "sample point")
        for j, factor in enumerate(source.factors):
            place = ("sources", i, "factors", j)
            if isinstance(source.activity, Documented) and factor in known["analyses"]:
                continue
            _check_known(file, place, factor, factors, "factor")
            if source.scope == 2 and factors[factor].kind == "footprint":
                expected = "no footprint factor in scope 2: it is of the life cycle"
                raise fault(file.origin, place, factor, expected)


def _check_boundaries(file: PlantFile, known: Known) -> None:
    sources = {source.id: source for source in file.sources}
    named: set[str] = set()
    for i, boundary in enumerate(file.boundaries):
        for key, ids in (("sources", boundary.sources), ("attributed", boundary.attributed)):
            for j, source_id in enumerate(ids):
                place = ("boundaries", i, key, j)
                _check_known(file, place, source_id, known["sources"], "source")
                source = sources[source_id]
                if source_id in named:
                    raise fault(file.origin, place, source_id, "a source that stands once in all boundaries")
                named.add(source_id)
                if source.gas != sources[boundary.sources[0]].gas:
                    raise fault(file.origin, place, source_id, "a source of the gas of the others")
                if key == "sources" and source.route == "measured":
                    raise fault(file.origin, place, source_id, "a calculated source, for a balance is one")
                if key == "attributed" and (source.account or source.category == "products"):
                    raise fault(file.origin, place, source_id, "a source of no other account")


def _check_kpi(file: PlantFile, kpi: Kpi, place: Place, known: Known) -> None:
    for key in ("numerator", "denominator"):
        for i, term in enumerate(getattr(kpi, key)):
            _check_term(file, term, (*place, key, i), known)
    _check_accounts(file, kpi, place)
    check_blocks(file, kpi, place)
    for i, window in enumerate(kpi.windows or ()):
        where = (*place, "windows", i)
        _check_window(file, window, where)
        if kpi.block is not None and window % kpi.block:
            raise fault(
                file.origin, where, format_span(window), f"a multiple of the block, {format_span(kpi.block)}"
            )
    if not live_windows(file, kpi):
        raise absent(file.origin, (*place, "windows"), "at least one window")


def _check_term(file: PlantFile, term: Term, place: Place, known: Known) -> None:
    _check_known(file, (*place, "point"), term.point, known["points"], "point")
    _check_known(file, (*place, "source"), term.source, known["sources"], "source")
    documented = {source.id for source in file.sources if isinstance(source.activity, Documented)}
    if term.source in documented:
        expected = "a source with a meter, for documents have no live figure"
        raise fault(file.origin, (*place, "source"), term.source, expected)
    for i, factor in enumerate(term.factors):
        _check_known(file, (*place, "factors", i), factor, known["factors"], "factor")


def _check_accounts(file: PlantFile, kpi: Kpi, place: Place) -> None:
    """A KPI weighs amounts by what stands in this file, and holds one account of a gas."""
    sources = {source.id: source for source in file.sources}
    series = {factor.id for factor in file.factors if factor.series}
    for key in ("numerator", "denominator"):
        basis: str | None = None
        for i, term in enumerate(getattr(kpi, key)):
            where = (*place, key, i)
            for j, factor in enumerate(term.factors):
                if factor in series:
                    expected = "a factor of one value; KPIs know no series"
                    raise fault(file.origin, (*where, "factors", j), factor, expected)
            source = sources.get(term.source or "")
            if source is None:
                continue
            if source.factor_point is not None:
                expected = "a source without a factor point"
                raise fault(file.origin, (*where, "source"), source.id, expected)
            basis = basis or source.basis
            if source.basis not in (None, basis):
                expected = f"no {source.basis}-based source beside a {basis}-based one"
                raise fault(file.origin, (*where, "source"), source.id, expected)


def _check_business(file: PlantFile, known: Known) -> None:
    kpis = {kpi.id: kpi for kpi in file.kpis}
    for i, tariff in enumerate(file.tariffs):
        _check_known(file, ("tariffs", i, "carrier"), tariff.carrier, known["carriers"], "carrier")
    for key in ("benchmarks", "targets"):
        for i, entry in enumerate(getattr(file, key)):
            _check_known(file, (key, i, "kpi"), entry.kpi, kpis, "KPI")
    for i, instrument in enumerate(file.instruments):
        for j, point in enumerate(instrument.points):
            _check_known(file, ("instruments", i, "points", j), point, known["points"], "point")
        for j, activity in enumerate(instrument.activities):
            where = ("instruments", i, "activities", j)
            _check_known(file, where, activity, known["activities"], "documented activity")
    if file.contracted_demand is not None:
        place = ("contracted_demand", "kpi")
        demands = {kpi.id for kpi in file.kpis if kpi.kind is KpiKind.DEMAND}
        _check_known(file, place, file.contracted_demand.kpi, demands, "KPI of kind demand")
