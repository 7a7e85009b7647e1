"""What each systematic source and each random error does to the two sums of a figure.

A contribution is a column over intervals: by how much the sums a and b move when that
source is off by one standard uncertainty. Columns are linear in the amounts, so they may be
summed over any span, and what is in both sums is in one contribution: it cancels by itself.
A systematic source is an instrument between two of its calibrations, a version of a factor
or a constant. An instrument that is overdue counts twice from its day on.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.methods.registry import METHODS
from ingest.plant.instruments import OVERDUE_FACTOR
from ingest.plant.plan import Plan, PlanComputed
from ingest.plant.plan_doubts import PlanDoubt, PlanTerm
from ingest.uncertainty.propagation import Floats, Ints
from ingest.uncertainty.slopes import SLOPES

ZERO_CELSIUS_K = 273.15
"""A share of a temperature is one of the absolute temperature."""


@dataclass(frozen=True, slots=True)
class PointRows:
    """Intervals of a point, or buckets of them, ascending in time."""

    start_at: Ints
    amount: Floats
    """NaN of a sample."""
    mean: Floats
    hours: Floats
    """Covered."""
    plan_version: Ints


@dataclass(frozen=True, slots=True)
class Contribution:
    """One source of error in the sums a and b, per interval and standard uncertainty."""

    name: str
    epoch: int
    """The calibration it dates from, µs; with the name the key of a systematic source."""
    start_at: Ints
    a: Floats
    b: Floats
    is_random: bool
    rho: float
    step_us: int
    observations: float


def reads(plan: Plan, terms: Iterable[PlanTerm]) -> list[str]:
    """Ids of the points whose rows the contributions of some terms need."""
    programs = {program.point: program for program in plan.computed}
    numbers = {point for term in terms for point in (term.point, term.factor_point) if point is not None}
    inputs = {i for point in numbers if point in programs for i in programs[point].inputs}
    return [plan.points[number].id for number in sorted(numbers | inputs)]


def unknown(plan: Plan, terms: Iterable[PlanTerm]) -> str | None:
    """Why a plan does not know the uncertainty of some terms; None: it does."""
    programs = {program.point: program for program in plan.computed}
    for term in terms:
        silent = next((name for name in term.factors if not _is_judged(plan, name)), None)
        if silent is not None:
            return f"factor {silent} has no uncertainty"
        for point in (term.point, term.factor_point):
            program = programs.get(point) if point is not None else None
            if point is None:
                continue
            if program is None or point in plan.doubts.points:
                found = _unknown_point(plan, point)
            else:
                found = _unknown_program(plan, program)
            if found is not None:
                return found
    return None


def _is_judged(plan: Plan, factor: str) -> bool:
    """Whether a plan says how far a factor may be off, at all times at which it has a value."""
    one = plan.doubts.factors.get(factor)
    if one is not None:
        return not math.isnan(one.systematic)
    steps = plan.doubts.series.get(factor)
    return steps is not None and not any(math.isnan(doubt.systematic) for _, doubt in steps)


def _unknown_point(plan: Plan, point: int) -> str | None:
    doubts = plan.doubts.points.get(point)
    if doubts is None:
        return f"point {plan.points[point].id} has no instrument"
    silent = [doubt.name for doubt in doubts if np.isnan(doubt.systematic)]
    return f"{silent[0]} has no uncertainty" if silent else None


def _unknown_program(plan: Plan, program: PlanComputed) -> str | None:
    slopes = SLOPES.get(program.method)
    if slopes is None:
        return f"method {program.method_id} has no derivatives"
    for constant in METHODS[program.method_id].constants:
        given = (program.point, constant.name) in plan.doubts.constants
        if constant.value is None and not (given and constant.name in slopes.scaling):
            return f"constant {constant.name} of {plan.points[program.point].id} has no uncertainty"
    return next((found for i in program.inputs if (found := _unknown_point(plan, i)) is not None), None)


def factor_doubt(plan: Plan, factor: str, at: int) -> PlanDoubt | None:
    """How far a factor may be off at an instant, µs; None: nobody says."""
    one = plan.doubts.factors.get(factor)
    if one is not None:
        return one
    return next((doubt for since, doubt in reversed(plan.doubts.series.get(factor, ())) if since <= at), None)


def contributions(
    plans: Mapping[int, Plan],
    terms: Mapping[int, tuple[Sequence[PlanTerm], Sequence[PlanTerm]]],
    rows: Mapping[str, PointRows],
) -> list[Contribution]:
    """The contributions to a figure's sums.

    Args:
        plans: by version, all those the rows name.
        terms: per version the terms of a and of b, of which `unknown` says nothing.
        rows: by point id, those of `reads`.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what no float holds is no figure, and no fault
        return _gathered(plans, terms, rows)


def _gathered(
    plans: Mapping[int, Plan],
    terms: Mapping[int, tuple[Sequence[PlanTerm], Sequence[PlanTerm]]],
    rows: Mapping[str, PointRows],
) -> list[Contribution]:
    gathered: dict[tuple[str, int, bool], list[tuple[PlanDoubt, int, Ints, Floats]]] = {}
    epochs = _epochs(plans.values())
    for version, sides in terms.items():
        for side, side_terms in enumerate(sides):
            for term in side_terms:
                for doubt, start_at, share, random in _of_term(plans[version], term, rows, version):
                    for is_random, column in ((False, share), (True, random)):
                        if not column.any():
                            continue
                        for epoch, chosen in _by_epoch(start_at, epochs.get(doubt.name)):
                            gathered.setdefault((doubt.name, epoch, is_random), []).append(
                                (doubt, side, start_at[chosen], column[chosen])
                            )
    return [_joined(*key, parts) for key, parts in gathered.items()]


def _epochs(plans: Iterable[Plan]) -> dict[str, Ints]:
    """Per instrument the instants at which it was calibrated, ascending."""
    found: dict[str, set[int]] = {}
    for plan in plans:
        for doubts in plan.doubts.points.values():
            for doubt in doubts:
                found.setdefault(doubt.name, set()).add(doubt.calibrated_at)
    return {name: np.array(sorted(dates), np.int64) for name, dates in found.items()}


def _by_epoch(start_at: Ints, dates: Ints | None) -> Iterable[tuple[int, NDArray[np.bool_]]]:
    """The calibrations that intervals follow, 0 before the first, and which intervals each is of."""
    if dates is None:
        yield 0, np.ones(start_at.size, np.bool_)
        return
    place = np.searchsorted(dates, start_at, side="right") - 1
    for number in np.unique(place).tolist():
        yield int(dates[number]) if number >= 0 else 0, place == number


def _of_term(
    plan: Plan, term: PlanTerm, rows: Mapping[str, PointRows], version: int
) -> Iterable[tuple[PlanDoubt, Ints, Floats, Floats]]:
    """Per doubt of a term: starts, what one standard uncertainty of it does, and of its random part."""
    whole = rows[plan.points[term.point].id]
    chosen = (whole.plan_version == version) & ~np.isnan(whole.amount)
    mine = PointRows(
        whole.start_at[chosen], whole.amount[chosen], whole.mean[chosen], whole.hours[chosen],
        whole.plan_version[chosen],
    )  # fmt: skip
    weight = weights(term, mine.start_at)
    if term.factor_point is None:
        yield from _of_factors(plan, term.factors, mine.start_at, weight * mine.amount)
        yield from _of_point(plan, term.point, rows, mine, weight)
        return
    mean = _means(rows[plan.points[term.factor_point].id], mine.start_at)
    yield from _of_factors(plan, term.factors, mine.start_at, weight * mean * mine.amount)
    yield from _of_point(plan, term.point, rows, mine, weight * mean)
    # Its mean as an amount of one hour: what is off in it by a unit moves the mass by weight · amount.
    factor = PointRows(mine.start_at, mean, mean, np.ones_like(mean), mine.plan_version)
    yield from _of_point(plan, term.factor_point, rows, factor, weight * mine.amount)


def weights(term: PlanTerm, start_at: Ints) -> Floats:
    """The weight of a term in intervals; 0 where it is not known, for there is no figure then."""
    if not term.steps:
        return np.full(start_at.size, term.weight)
    since = np.array([at for at, _ in term.steps], np.int64)
    value = np.nan_to_num(np.array([0.0, *(value for _, value in term.steps)]))
    found: Floats = value[np.searchsorted(since, start_at, side="right")]
    return found


def _means(rows: PointRows, start_at: Ints) -> Floats:
    """The means of a point in intervals; 0 where it has none, for there is no mass then."""
    known = ~np.isnan(rows.mean)
    starts, means = rows.start_at[known], rows.mean[known]
    if not starts.size:
        return np.zeros(start_at.size)
    place = np.minimum(np.searchsorted(starts, start_at), starts.size - 1)
    found: Floats = np.where(starts[place] == start_at, means[place], 0.0)
    return found


def _of_factors(
    plan: Plan, names: Sequence[str], start_at: Ints, weighed: Floats
) -> Iterable[tuple[PlanDoubt, Ints, Floats, Floats]]:
    """What factors do to what is made with them."""
    for name in names:
        if name in plan.doubts.factors:
            doubt = plan.doubts.factors[name]
            yield doubt, start_at, doubt.systematic * weighed, np.zeros_like(weighed)
            continue
        steps = plan.doubts.series[name]
        place = np.searchsorted(np.array([at for at, _ in steps], np.int64), start_at, side="right") - 1
        for number in np.unique(place[place >= 0]).tolist():
            chosen, doubt = place == number, steps[number][1]
            moved = doubt.systematic * weighed[chosen]
            yield doubt, start_at[chosen], moved, np.zeros_like(moved)


def _of_point(
    plan: Plan, point: int, rows: Mapping[str, PointRows], mine: PointRows, slope: Floats
) -> Iterable[tuple[PlanDoubt, Ints, Floats, Floats]]:
    """What the instruments behind a point do to slope · its amounts, which are those of `mine`."""
    program = next((one for one in plan.computed if one.point == point), None)
    weighed = slope * mine.amount
    if program is None or point in plan.doubts.points:
        for doubt in plan.doubts.points[point]:
            yield from _moved(doubt, mine.start_at, weighed, slope * mine.hours)
        return
    for name in SLOPES[program.method].scaling:
        doubt = plan.doubts.constants[program.point, name]
        yield doubt, mine.start_at, doubt.systematic * weighed, np.zeros_like(weighed)
    values, slopes = _slopes(plan, program, rows, mine)
    for i, source in enumerate(program.inputs):
        moved = slope * slopes[i]
        size = values[i] + ZERO_CELSIUS_K if plan.points[source].unit == "°C" else values[i]
        for doubt in plan.doubts.points[source]:
            yield from _moved(doubt, mine.start_at, moved * size, moved)


def _moved(
    doubt: PlanDoubt, start_at: Ints, per_share: Floats, per_unit: Floats
) -> Iterable[tuple[PlanDoubt, Ints, Floats, Floats]]:
    factor = np.where(start_at >= doubt.due_at, OVERDUE_FACTOR, 1.0)
    systematic = doubt.systematic * (per_share if doubt.is_relative else per_unit)
    random = doubt.random * (per_share if doubt.is_random_relative else per_unit)
    yield doubt, start_at, factor * systematic, factor * random


def _slopes(
    plan: Plan, program: PlanComputed, rows: Mapping[str, PointRows], mine: PointRows
) -> tuple[Floats, Floats]:
    """Inputs (in their points' units) in the intervals of a computed point, and ∂amount/∂input."""
    values = np.zeros((len(program.inputs), mine.start_at.size))
    for i, point in enumerate(program.inputs):
        given = rows[plan.points[point].id]
        known = ~np.isnan(given.mean)
        if known.any():
            values[i] = np.interp(mine.start_at, given.start_at[known], given.mean[known])
        else:
            values[i] = np.nan
    scale, offset = (np.array(column)[:, None] for column in zip(*program.scales, strict=True))
    x = values * scale + offset
    slopes = SLOPES[program.method].inputs(x, program.constants, mine.amount, mine.hours)
    return values, slopes * scale


def _joined(
    name: str, epoch: int, is_random: bool, parts: list[tuple[PlanDoubt, int, Ints, Floats]]
) -> Contribution:
    """All columns of one source, as columns of a and b over the intervals that have any."""
    start_at = np.unique(np.concatenate([part[2] for part in parts]))
    sides = np.zeros((2, start_at.size))
    for _, side, starts, column in parts:
        np.add.at(sides[side], np.searchsorted(start_at, starts), column)
    doubt = parts[0][0]
    return Contribution(
        name, epoch, start_at, sides[0], sides[1], is_random, doubt.rho, doubt.step_us, doubt.observations
    )
