"""Gaps of counters filled in proportion to something: the flat spread of a fold, moved to where weights say.

A counter may declare how its use of a gap is spread. The fold spreads it flat, as ever;
what is stored of it is moved afterwards, by the whole gap at once (`kernels.filling`), so
the total is the register's and no other part of an interval changes.

    production   weights are the amounts of another point in the same intervals
    same_hour    weights are the point's own amounts at the same local time on the seven
                 days before that on which the gap begins, the mean of those there are

Only a closed row whose time is all valid is a weight: such a row is a function of readings
and has never been filled, so filling rests on no filling. Local time is the wall clock
of the site's zone where an interval begins. An hour that clocks skip is missing on that
day, of one they show twice the first that is whole counts, and both intervals of such an
hour in a gap have the weight of that time of day. If an interval has no weight, or all
are 0, all of the gap stays flat; so it does if it reaches over a change of the plan's
version, as shares by two profiles would not add up. Where rows come from and go to is
the store's business.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ingest.model import DAY, MINUTE, Fill, FlatBecause
from ingest.pipeline.batch import BoolArray, FloatArray, IntArray, Rows
from ingest.pipeline.late import Spans
from ingest.pipeline.signals import Signals
from ingest.pipeline.state import SiteState
from ingest.plant.plan import Plan
from kernels.exact import exact_sums
from kernels.filling import gap_steps, shape_gap
from kernels.rows import GAP_ROW, SHAPED, WEIGHTS_ZERO

DAYS_BACK = 7
QUARTER = 15 * MINUTE
"""Clocks are put forward and back at whole quarters of an hour UTC."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FILL_ROW = np.dtype(
    [
        *((name, "i8") for name in ("point", "from_at", "to_at", "increment", "asked", "used", "because")),
        *((name, "i8") for name in ("source", "source_from", "source_to")),
    ]
)
"""How one gap is filled.

`asked` and `used` are `Fill`, `because` is `FlatBecause`; `source` (plan index) is the
point whose rows that begin in [source_from, source_to) it rests on, be they there or not.
"""


def is_shaped(plan: Plan) -> BoolArray:
    """Which points of the plan want their gaps filled in another way than flat."""
    found: BoolArray = plan.params["fill"] != Fill.FLAT
    return found


def gaps_of(state: SiteState, signals: Signals, spans: Spans) -> Rows:
    """FILL_ROWs of the gaps of shaped points that reach into spans, not filled yet; `signals` are those folded."""
    plan = state.plan
    shaped = np.flatnonzero(is_shaped(plan)[spans.point])
    mine = Signals.join([signals.segment(int(j)) for j in shaped]) if shaped.size else None
    if mine is None:
        return np.zeros(0, FILL_ROW)
    gaps = np.zeros(64, GAP_ROW)
    while True:
        n = gap_steps(
            mine.offsets, mine.at, mine.count, mine.quality, mine.reasons, state.params[spans.point[shaped]],
            spans.begin[shaped], spans.end[shaped], gaps,
        )  # fmt: skip
        if n <= gaps.size:
            break
        gaps = np.zeros(n, GAP_ROW)
    fills = np.zeros(n, FILL_ROW)
    for name in ("from_at", "to_at", "increment"):
        fills[name] = gaps[name][:n]
    fills["point"] = spans.point[shaped[gaps["segment"][:n]]]
    fills["asked"] = plan.params["fill"][fills["point"]]
    _name_sources(plan, fills)
    return fills


def _name_sources(plan: Plan, fills: Rows) -> None:
    interval_us = plan.interval_us
    begin = fills["from_at"] - fills["from_at"] % interval_us
    by_itself = fills["asked"] == Fill.SAME_HOUR
    fills["source"] = np.where(by_itself, fills["point"], plan.params["fill_by"][fills["point"]])
    days, place = np.unique(_wall_clock(plan.zone, begin) // DAY, return_inverse=True)
    since = np.array([_midnights(plan.zone, day - DAYS_BACK)[0] for day in days.tolist()], np.int64)[place]
    until = np.array([_midnights(plan.zone, day)[1] for day in days.tolist()], np.int64)[place]
    fills["source_from"] = np.where(by_itself, since - since % interval_us, begin)
    end = np.where(by_itself, until, fills["to_at"])
    fills["source_to"] = end + (-end) % interval_us


def fill(
    plan: Plan, rows: Rows, fills: Rows, sources: Sequence[Rows], in_force: Sequence[tuple[int, int]]
) -> None:
    """Move what gaps spread flat over rows to where weights say, and note how in the fills.

    Args:
        plan: of the points.
        rows: INTERVAL_ROW as folded, `segment` = point, changed in place; they need not hold all of a gap.
        fills: FILL_ROW, all that reach into the rows, changed in place.
        sources: of each fill the closed rows of its source that it rests on: start_at, amount, valid_us.
        in_force: of each [begin, end) in which the plan's version is in force at its point.
    """
    for fill_row, source, (since, until) in zip(fills, sources, in_force, strict=True):
        if fill_row["from_at"] < since or fill_row["to_at"] > until:
            fill_row["because"], fill_row["used"] = FlatBecause.PLAN_CHANGED, Fill.FLAT
            continue
        interval_us, from_at, to_at = plan.interval_us, int(fill_row["from_at"]), int(fill_row["to_at"])
        starts = np.arange(from_at - from_at % interval_us, to_at, interval_us)
        moved = np.zeros(starts.size, np.int64)
        code = shape_gap(
            from_at, to_at, int(fill_row["increment"]), interval_us, _weights(plan, fill_row, source, starts),
            np.zeros(starts.size, np.int64), moved,
        )  # fmt: skip
        if code != SHAPED:
            zero = code == WEIGHTS_ZERO
            fill_row["because"] = FlatBecause.WEIGHTS_ZERO if zero else FlatBecause.WEIGHT_MISSING
            fill_row["used"] = Fill.FLAT
            continue
        fill_row["because"], fill_row["used"] = FlatBecause.NOT, fill_row["asked"]
        own = np.flatnonzero(rows["segment"] == fill_row["point"])
        _, mine, theirs = np.intersect1d(
            rows["start_at"][own], starts, assume_unique=True, return_indices=True
        )
        place = own[mine]
        count = rows["amount_count"][place] + moved[theirs]
        rows["amount_count"][place] = count
        rows["amount"][place] = count * plan.params["resolution"][fill_row["point"]]


def _weights(plan: Plan, fill_row: np.void, source: Rows, starts: IntArray) -> FloatArray:
    """The weight of each interval of a gap, NaN for none."""
    source = source[source["valid_us"] == plan.interval_us]
    weight = np.full(starts.size, np.nan)
    if fill_row["asked"] == Fill.PRODUCTION:
        _, mine, theirs = np.intersect1d(starts, source["start_at"], return_indices=True)
        weight[mine] = source["amount"][theirs]
        return weight
    wall = _wall_clock(plan.zone, starts)
    times, usual = _usual_day(plan.zone, source, int(wall[0] // DAY))
    place = np.searchsorted(times, wall % DAY)
    known = np.flatnonzero(place < times.size)
    known = known[times[place[known]] == wall[known] % DAY]
    weight[known] = usual[place[known]]
    return weight


def _usual_day(zone: ZoneInfo, source: Rows, day: int) -> tuple[IntArray, FloatArray]:
    """Local times of day, ascending, and of each the mean amount over the days before a local day that have it."""
    source = source[np.argsort(source["start_at"], kind="stable")]
    wall, first = np.unique(_wall_clock(zone, source["start_at"]), return_index=True)
    mine = (wall // DAY >= day - DAYS_BACK) & (wall // DAY < day)
    wall, amount = wall[mine], source["amount"][first[mine]]
    times, place, count = np.unique(wall % DAY, return_inverse=True, return_counts=True)
    by_day = np.zeros((times.size, DAYS_BACK))
    by_day[place, wall // DAY - (day - DAYS_BACK)] = amount
    usual: FloatArray = exact_sums(by_day) / count
    return times, usual


def _midnights(zone: ZoneInfo, day: int) -> tuple[int, int]:
    """Between which instants (µs) a local day (days since 1970) begins; two only where clocks change over midnight."""
    shown = datetime(1970, 1, 1, tzinfo=zone) + timedelta(days=day)
    found = [(shown.replace(fold=fold) - _EPOCH) // timedelta(microseconds=1) for fold in (0, 1)]
    return min(found), max(found)


def _wall_clock(zone: ZoneInfo, at: IntArray) -> IntArray:
    """What the clocks of a zone show at instants, as µs since 1970 there."""
    quarters, place = np.unique(at // QUARTER, return_inverse=True)
    offsets = [
        datetime.fromtimestamp(quarter * (QUARTER // 10**6), UTC).astimezone(zone).utcoffset()
        for quarter in quarters.tolist()
    ]
    shift = [0 if offset is None else offset // timedelta(microseconds=1) for offset in offsets]
    found: IntArray = at + np.array(shift, np.int64)[place]
    return found


def runs(pairs: IntArray, interval_us: int) -> Iterator[tuple[int, int, int]]:
    """(point, begin, end) of the stretches without a break that intervals (point, start_at) make."""
    pairs = np.unique(pairs, axis=0)
    broken = (np.diff(pairs[:, 0]) != 0) | (np.diff(pairs[:, 1]) != interval_us)
    for part in np.split(pairs, np.flatnonzero(broken) + 1) if pairs.size else ():
        yield int(part[0, 0]), int(part[0, 1]), int(part[-1, 1]) + interval_us
