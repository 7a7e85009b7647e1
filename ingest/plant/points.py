"""Whether the points of a plant file are well declared.

Every kind takes some keys and not others: a key without meaning is refused, since
whoever wrote it expected something of it. Spans, counts and topics are checked
here too; units and methods are the compiler's.
"""

from fractions import Fraction

from ingest.methods.validity import QUARTER
from ingest.model import DAY, HOUR
from ingest.plant.comparison import check_compare
from ingest.plant.entries import Point
from ingest.plant.fields import format_span
from ingest.plant.file import PlantFile
from ingest.plant.gaps import check_fill
from ingest.plant.sentence import Place, absent, fault

DEFAULT_RESOLUTION = 1e-6
LEAST_STUCK_PERIODS = 3
"""Fewer readings that are alike are nothing strange."""
_MAX_COUNT = 2**62
_COMMON = {"period", "limits", "topics", "until"}
_ANALYSED = frozenset({"period", "limits", "until", "analysis"})
"""What means something to a point that analyses tell."""
_SIGNAL = _COMMON | {"max_gap", "sloped", "max_rate", "resolution", "stuck_after", "stuck_except"}
_KEYS = {
    "counter": _COMMON
    | {"max_gap", "max_rate", "resolution", "modulus", "on_fall", "fill_at_most", "fill", "fill_by"},
    "delta": _COMMON | {"stamp", "resolution"},
    "gauge": _SIGNAL,
    "sample": _SIGNAL | {"analysis"},
    "state": _COMMON | {"max_gap", "states"},
    "computed": {"max_gap", "sloped"},
    "analysed": _ANALYSED,
}
"""Kind → the keys that mean something to it, of those that not every point has."""
_A = {role: "an" if role == "analysed" else "a" for role in _KEYS}
_OPTIONAL = sorted(set().union(*_KEYS.values()))


def check_points(file: PlantFile, units: frozenset[str]) -> None:
    """Raise PlantError for the first point that is not well declared."""
    carriers = {carrier.id for carrier in file.carriers}
    products = {product.id for product in file.products}
    longest = max((DAY, *file.windows, *(window for kpi in file.kpis for window in kpi.windows or ())))
    for i, point in enumerate(file.points):
        place = ("points", i)
        _check_path(file, point, place, units)
        if point.carrier is not None and point.carrier not in carriers:
            raise fault(file.origin, (*place, "carrier"), point.carrier, "the id of a carrier of this file")
        if point.product is not None and point.product not in products:
            raise fault(file.origin, (*place, "product"), point.product, "the id of a product of this file")
        _check_keys(file, point, place)
        _check_numbers(file, point, place)
        _check_stuck(file, point, place)
        _check_validity(file, point, (*place, "validity"))
        _check_analysed(file, point, place)
        check_fill(file, point, place)
        check_compare(file, point, (*place, "compare"))
        if point.max_gap is not None and not 0 < point.max_gap <= longest:
            expected = f"at most {format_span(longest)}, the largest window or one day"
            raise fault(file.origin, (*place, "max_gap"), format_span(point.max_gap), expected)
    _check_topics(file, units)


def _check_path(file: PlantFile, point: Point, place: Place, units: frozenset[str]) -> None:
    if point.id in units:
        raise fault(file.origin, (*place, "id"), point.id, "an id that is no unit's path")
    parent, slash, _ = point.id.rpartition("/")
    if slash and parent not in units:
        raise fault(
            file.origin, (*place, "id"), point.id, f"a unit {parent!r} in the tree, which is not there"
        )


def _check_keys(file: PlantFile, point: Point, place: Place) -> None:
    role = "computed" if point.computed else "analysed" if point.analysis else point.kind
    if point.computed and point.kind not in {"gauge", "sample"}:
        raise fault(file.origin, (*place, "kind"), point.kind, "gauge or sample of a computed point")
    for key in _OPTIONAL:
        value = getattr(point, key)
        if key not in _KEYS[role] and value not in (None, (), {}):
            shown = (
                format_span(value) if key in {"period", "max_gap", "stuck_after", "fill_at_most"} else value
            )
            raise fault(file.origin, (*place, key), shown, f"no such key for {_A[role]} {role} point")
    if point.period is None and not point.computed:
        raise absent(file.origin, (*place, "period"), "the time between readings such as 5s or 15min")
    if point.period is not None and point.period <= 0:
        raise fault(file.origin, (*place, "period"), format_span(point.period), "a duration above 0s")
    if point.kind == "state" and point.unit != "1":
        raise fault(file.origin, (*place, "unit"), point.unit, "no unit for a state")


def _check_analysed(file: PlantFile, point: Point, place: Place) -> None:
    if point.analysis is None:
        return
    if point.kind != "sample":
        raise fault(file.origin, (*place, "kind"), point.kind, "sample of a point that analyses tell")
    if point.analysis not in {one.id for one in file.analyses}:
        raise fault(file.origin, (*place, "analysis"), point.analysis, "the id of an analysis of this file")
    assert point.period is not None
    if not HOUR <= point.period <= DAY or point.period % file.interval:
        expected = f"1h to 1d, a multiple of the interval, {format_span(file.interval)}"
        raise fault(file.origin, (*place, "period"), format_span(point.period), expected)


def _check_numbers(file: PlantFile, point: Point, place: Place) -> None:
    if point.limits is not None and point.limits[0] >= point.limits[1]:
        raise fault(file.origin, (*place, "limits"), list(point.limits), "the lower limit first")
    resolution = point.resolution or DEFAULT_RESOLUTION
    if point.modulus is not None:
        # Both are what somebody wrote in decimal, so their ratio is taken in decimal.
        counts = Fraction(repr(point.modulus)) / Fraction(repr(resolution))
        if counts.denominator != 1 or counts >= _MAX_COUNT:
            expected = f"a whole number of counts of {resolution!r}, fewer than 2**62"
            raise fault(file.origin, (*place, "modulus"), point.modulus, expected)
    if point.limits is not None and point.kind in {"counter", "delta"}:
        largest = max(map(abs, point.limits))
        if largest / resolution >= _MAX_COUNT:
            expected = f"fewer than 2**62 counts of {resolution!r}"
            raise fault(file.origin, (*place, "limits"), list(point.limits), expected)
    codes = list(point.states.values())
    for name, code in point.states.items():
        if codes.count(code) > 1 or abs(code) >= 2**53:
            raise fault(file.origin, (*place, "states", name), code, "a code that no other state has")


def _check_stuck(file: PlantFile, point: Point, place: Place) -> None:
    band, after = point.stuck_except, point.stuck_after
    if band is not None and after is None:
        raise absent(file.origin, (*place, "stuck_after"), "the time it may stand still, such as 1h")
    if band is not None and band[0] > band[1]:
        raise fault(file.origin, (*place, "stuck_except"), list(band), "the lower value first")
    least = LEAST_STUCK_PERIODS * (point.period or 0)
    if after is not None and not least <= after <= DAY:
        expected = f"{format_span(least)}, which is {LEAST_STUCK_PERIODS} periods, to 1d"
        raise fault(file.origin, (*place, "stuck_after"), format_span(after), expected)


def _check_validity(file: PlantFile, point: Point, place: Place) -> None:
    declared = point.validity
    if declared is None:
        return
    if point.kind == "state":
        raise fault(file.origin, place, declared.regime, "no such key for a state point")
    if declared.regime == "part75" and QUARTER % file.interval:
        expected = "a regime that needs no quarters of an hour, which the interval must divide"
        raise fault(file.origin, (*place, "regime"), declared.regime, expected)
    states = {other.id for other in file.points if other.kind == "state"}
    if declared.running is not None and (declared.regime != "part75" or declared.running not in states):
        expected = "the id of a state point, under regime part75"
        raise fault(file.origin, (*place, "running"), declared.running, expected)


def _check_topics(file: PlantFile, units: frozenset[str]) -> None:
    stem = f"{file.topic_prefix}/{file.site}"
    taken = {stem} | {f"{stem}/{path}" for path in units} | {f"{stem}/{point.id}" for point in file.points}
    for i, point in enumerate(file.points):
        for j, topic in enumerate(point.topics):
            place = ("points", i, "topics", j)
            if topic in taken:
                raise fault(file.origin, place, topic, "a topic that belongs to nothing else")
            if topic.startswith("stackwatt/"):
                raise fault(
                    file.origin, place, topic, "a topic outside stackwatt/, which is the service's own"
                )
            taken.add(topic)
