"""Past runs of orders: what the MES told of them, and what their unit's electricity meters counted meanwhile.

A run is all of a closed order's time on the one unit that it ran on. What the MES told of the unit's state parts it: `ramp`
within the order is its ramp; before it, back to the end of the order before, `changeover` is one, `off` is nothing,
and all else is idling. Energy is Σ amount by the part of an interval that lies in a stretch; a stretch that intervals do not
cover throughout has none (NaN), and so has an order that made nothing that is told. Utilities that units share are not
in it: they are the plant's other load.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.allocation.figures import quantity_of
from ingest.allocation.lines import kwh_per_amount
from ingest.errors import InputError
from ingest.mes.model import Book, Order, StateSpan
from ingest.model import DAY, HOUR, Quality
from ingest.plant.plan import Plan
from ingest.store.mes import book
from ingest.units import conversion
from service.plans import SitePlan
from service.schedules.learning import Runs
from service.store import Connection, rows
from service.times import to_datetime

LEARNED_US = 42 * DAY
LOOKED_BACK = 20
"""Segments of a unit before an order, among which the one that ended last is."""
PHASES = ("run", "ramp", "changeover", "idle")
Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Past:
    """Runs, and what their numbers stand for."""

    runs: Runs
    units: tuple[str, ...]
    products: tuple[str, ...]
    measures: tuple[str | None, ...]
    """Unit of each product's quantities; None: none was told."""
    span: tuple[int, int]
    """Looked at, µs."""


@dataclass(frozen=True, slots=True)
class _Run:
    unit: int
    product: int
    previous: int
    begin: int
    end: int
    quantity: float
    stretches: dict[str, list[Stretch]]
    follows: bool


def meters_of(plan: Plan, unit: str) -> list[tuple[str, float]]:
    """The electricity meters of a unit: full id, and the kWh of a unit of its amounts."""
    points = [plan.points[place] for place in plan.mes.by_unit[unit].meters]
    found = [(one.id, kwh_per_amount(plan, one.id)) for one in points if one.carrier == "electricity"]
    return [(name, kwh) for name, kwh in found if kwh is not None]


async def past_runs(connection: Connection, site: SitePlan, until: int) -> Past:
    """The runs that ended in the six weeks before an instant, µs, by start."""
    span = until - LEARNED_US, until
    known = await book(connection, site.site_no, span)
    units = tuple(sorted(one for one in site.plan.mes.by_unit if meters_of(site.plan, one)))
    told = [one for one in known.orders if _is_run(one, units, span)]
    products = tuple(sorted({one.product for one in told if one.product is not None}))
    measures = tuple(
        next((q.measure for one in told if one.product == name and (q := _made(one)).measure), None)
        for name in products
    )
    runs = list(_runs(known, told, units, products, measures))
    energy = np.full((len(runs), len(PHASES)), np.nan)
    for number, unit in enumerate(units):
        mine = [place for place, one in enumerate(runs) if one.unit == number]
        await _measure(connection, site.plan, unit, runs, mine, energy)
    return Past(_table(runs, energy), units, products, measures, span)


def _is_run(order: Order, units: Sequence[str], span: Stretch) -> bool:
    on = {one.unit for one in order.segments}
    return (
        order.closed
        and order.product is not None
        and len(on) == 1
        and on <= set(units)
        and all(
            one.end_at is not None and span[0] <= one.start_at < one.end_at <= span[1]
            for one in order.segments
        )
    )


def _made(order: Order) -> "Made":
    found = quantity_of(order.produced, [])
    return Made(found.good, found.measure)


@dataclass(frozen=True, slots=True)
class Made:
    """How much an order made."""

    good: float | None
    measure: str | None


def _runs(
    known: Book,
    told: Sequence[Order],
    units: Sequence[str],
    products: Sequence[str],
    measures: Sequence[str | None],
) -> Iterator[_Run]:
    made_on: dict[str, list[tuple[int, int, str | None]]] = {unit: [] for unit in units}
    for order in known.orders:
        for one in order.segments:
            if one.unit in made_on:
                made_on[one.unit].append((one.start_at, one.end_at or one.start_at, order.product))
    for rows_ in made_on.values():
        rows_.sort(key=lambda row: row[:2])
    states_of = {unit: [one for one in known.states if one.unit == unit] for unit in units}
    for order in sorted(told, key=lambda one: (one.segments[0].start_at, one.id)):
        unit, product = order.segments[0].unit, products.index(order.product or "")
        begin = order.segments[0].start_at
        ends = [one.end_at for one in order.segments if one.end_at is not None]
        earlier = made_on[unit][: bisect_left(made_on[unit], begin, key=lambda row: row[0])]
        last, made = max(
            ((end, what) for _, end, what in earlier[-LOOKED_BACK:]), default=(None, None), key=_ended
        )
        states = _reaching(states_of[unit], begin if last is None else min(begin, last), max(ends))
        ran = [(one.start_at, end) for one, end in zip(order.segments, ends, strict=True)]
        ramp = _within(states, "ramp", ran)
        stood = [(last, begin)] if last is not None and last <= begin else []
        change = _within(states, "changeover", stood)
        idle = _without(stood, [*change, *_within(states, "off", stood)])
        good = _made(order)
        yield _Run(
            units.index(unit),
            product,
            products.index(made) if made in products else -1,
            begin,
            max(ends),
            _converted(good, measures[product]),
            {"run": _without(ran, ramp), "ramp": ramp, "changeover": change, "idle": idle},
            bool(stood),
        )


def _ended(one: tuple[int, str | None]) -> int:
    return one[0]


def _reaching(states: Sequence[StateSpan], begin: int, end: int) -> Sequence[StateSpan]:
    """Those of a unit's states, in order of time, that reach into a span."""
    first = bisect_left(states, begin, key=lambda one: one.start_at)
    return states[max(0, first - 1) : bisect_left(states, end, key=lambda one: one.start_at)]


def _converted(made: Made, measure: str | None) -> float:
    if made.good is None or made.measure is None or measure is None:
        return np.nan
    try:
        return made.good * (1.0 if made.measure == measure else conversion(made.measure, measure, ())[0])
    except InputError:
        return np.nan


def _within(states: Sequence[StateSpan], state: str, spans: Sequence[Stretch]) -> list[Stretch]:
    """Where a unit was in a state within some spans."""
    found = []
    for begin, end in spans:
        for one in states:
            low, high = max(begin, one.start_at), min(end, end if one.end_at is None else one.end_at)
            if one.state == state and low < high:
                found.append((low, high))
    return found


def _without(spans: Sequence[Stretch], taken: Sequence[Stretch]) -> list[Stretch]:
    """What is left of spans."""
    left = list(spans)
    for begin, end in taken:
        left = [
            part
            for low, high in left
            for part in ((low, min(high, begin)), (max(low, end), high))
            if part[0] < part[1]
        ]
    return left


_ENERGY = """
    WITH span AS (
        SELECT * FROM unnest(%(number)s::bigint[], %(begin)s::timestamptz[], %(end)s::timestamptz[])
                 AS s (number, begins, ends)
    ), part AS (  -- OFFSET: by the key of each stretch, not all intervals of a meter with all stretches
        SELECT s.number, i.amount * m.kwh AS kwh, i.covered_us,
               date_part('epoch', least(s.ends, i.start_at + %(length)s::interval) - greatest(s.begins, i.start_at)) AS s
          FROM span s
         CROSS JOIN (SELECT point_no, k.kwh FROM unnest(%(ids)s::text[], %(kwh)s::float8[]) AS k (id, kwh)
                       JOIN point USING (id)) m
         CROSS JOIN LATERAL (
            SELECT start_at, amount, covered_us FROM interval
             WHERE point_no = m.point_no AND start_at > s.begins - %(length)s::interval AND start_at < s.ends
               AND quality < %(bad)s AND revision > 0 OFFSET 0
         ) i
    )
    SELECT number, sum(kwh * s) / date_part('epoch', %(length)s::interval),
           sum(s) FILTER (WHERE covered_us = %(length_us)s AND kwh IS NOT NULL)
      FROM part GROUP BY number
    """


async def _measure(
    connection: Connection,
    plan: Plan,
    unit: str,
    runs: Sequence[_Run],
    mine: Sequence[int],
    energy: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
) -> None:
    """Fill in the kWh of the stretches of a unit's runs."""
    meters = meters_of(plan, unit)
    spans = [
        (place * len(PHASES) + number, begin, end)
        for place in mine
        for number, phase in enumerate(PHASES)
        for begin, end in runs[place].stretches[phase]
    ]
    if not spans:
        return
    found = await rows(
        connection,
        _ENERGY,
        {
            "number": [one[0] for one in spans],
            "begin": [to_datetime(one[1]) for one in spans],
            "end": [to_datetime(one[2]) for one in spans],
            "ids": [name for name, _ in meters],
            "kwh": [kwh for _, kwh in meters],
            "length": f"{plan.interval_us} microseconds",
            "length_us": plan.interval_us,
            "bad": int(Quality.BAD),
        },
    )
    known = {number: (kwh, seconds) for number, kwh, seconds in found}
    for place in mine:
        for number, phase in enumerate(PHASES):
            of = runs[place].stretches[phase]
            wanted_s = sum(end - begin for begin, end in of) / 1e6 * len(meters)
            kwh, seconds = known.get(place * len(PHASES) + number, (0.0, 0.0))
            whole = not of or (seconds is not None and abs(seconds - wanted_s) < 1e-3)
            energy[place, number] = kwh if whole else np.nan


def _table(runs: Sequence[_Run], energy: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> Runs:
    def hours(phase: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.array(
            [sum(end - begin for begin, end in one.stretches[phase]) / HOUR for one in runs], np.float64
        )

    stood = np.array([one.follows for one in runs], np.bool_)

    def column(name: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        return np.array([getattr(one, name) for one in runs], np.int64)

    return Runs(
        column("unit"),
        column("product"),
        column("previous"),
        column("begin"),
        column("end"),
        np.array([one.quantity for one in runs], np.float64),
        energy[:, 0],
        hours("run"),
        energy[:, 1],
        hours("ramp"),
        np.where(stood, energy[:, 2], np.nan),
        np.where(stood, hours("changeover"), np.nan),
        np.where(stood, energy[:, 3], np.nan),
        np.where(stood, hours("idle"), np.nan),
    )
