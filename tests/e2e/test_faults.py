"""The simulated line with its faults, through ingest: what is wrong is flagged, and the totals stand.

Hours of live messages of the part of the line in `faulty_line.yaml`. A figure is
right if it is within a thousandth of the truth (a register's also within two
counts). Of every point and minute either the interval is flagged (not good, a
reason, time not covered, or no row) or its figure is right; and every reading that
a fault has changed lies in an interval that is flagged. Replaced meters are declared,
as somebody would who has read both. A wrong unit on a register lasts one reading:
within its limits a longer one costs what was counted meanwhile, as a booked correction.
A rate that drifts is seen beside its register: from the hour after the first in which it was further from the
truth than its tolerance its intervals are flagged. Until then what it adds is told as good, so the figures that a
drift has disturbed are in no total here.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

import psycopg
import pytest

from ingest.model import HOUR, MINUTE, SECOND, Kind
from ingest.plant import compile_plan, parse_plant
from ingest.plant.plan import Plan
from ingest.source import Delivery
from simulator.cement import CementPlant
from simulator.faults import FAULTS, Chain, Disturbance
from simulator.faults.messages import MessageFault  # noqa: TC001  mypy and readers want it here
from simulator.faults.readings import MEASURED, Drift, ReadingFault, Shown, WrongUnit
from simulator.feeds import CementFeed
from simulator.instruments import Instrument, instruments
from simulator.packets import Packet
from simulator.truth import Truth
from tests.e2e.processes import ROOT
from tests.e2e.test_cement_line import StretchOverError
from tests.ingest.declaring import approve, take_declared
from tests.ingest.feeding import START, Clock, feed, open_site

PLANT = (ROOT / "tests" / "e2e" / "faulty_line.yaml").read_text(encoding="utf-8")
HOURS = 2
HOURS_OF_DRIFT = 4
SEED = 5
SHARES = {
    "rollover": 0.004, "reset": 0.0007, "replaced": 0.0004, "stuck": 0.0007, "wrong-unit": 0.0007, "spike": 0.004,
    "clock-skew": 0.0005, "frozen-time": 0.0004, "missing": 0.006, "garbage": 0.004, "duplicate": 0.02,
    "burst": 0.0006, "late": 0.01, "reordered": 0.02,
}  # fmt: skip
CHANGES = {"stuck", "wrong-unit", "spike", "clock-skew", "reset", "replaced"}
"""Faults of which every changed reading is to be seen; a clock that stands leaves a gap instead."""
STUCK_AFTER = 30 * SECOND
DRIFTS = 0.0015
DRIFTS_FOR = 2 * HOUR
DRIFTS_PER_HOUR = 0.1
TOLERANCE = Fraction(12, 1000)
"""The plant's 1 %, and what sums of other minutes may differ by."""

pytestmark = pytest.mark.timeout(400)


class Only:
    """A fault of readings for some kinds of points."""

    def __init__(self, fault: ReadingFault, kinds: Collection[Kind]) -> None:
        self._fault = fault
        self._kinds = kinds

    def disturb(self, instrument: Instrument, readings: Sequence[Shown]) -> None:
        if instrument.kind in self._kinds:
            self._fault.disturb(instrument, readings)


class Line:
    """What the line publishes, live, through faults."""

    def __init__(self, plan: Plan, faults: Chain, hours: int) -> None:
        self._end = START + hours * HOUR
        self.plant = CementPlant(instruments(plan), seed=1)
        self.deliveries: list[Delivery] = []
        self._faults = faults
        self._now = START

    def clock(self) -> int:
        return self._now

    async def wait(self, seconds: float) -> None:
        self._now += round(seconds * SECOND)

    async def send(self, packets: list[Packet]) -> None:
        self._deliver(self._faults.apply(packets))
        if self._now >= self._end:
            raise StretchOverError

    async def published(self) -> list[Delivery]:
        """Everything, in the order of arrival."""
        line = CementFeed(self.plant, "plant", "cement", 0, self.clock, self.wait, self._faults.disturb)
        with pytest.raises(StretchOverError):
            await line.run(self.send)
        self._deliver(self._faults.flush())
        return self.deliveries

    def _deliver(self, packets: list[Packet]) -> None:
        self.deliveries += [Delivery(one.topic, one.payload, self._now + 200_000) for one in packets]


@dataclass(frozen=True, slots=True)
class Told:
    """A stored interval beside the truth."""

    truth: Fraction
    figure: Fraction | None
    flagged: bool
    is_right: bool
    is_whole: bool = False
    """Whether all of it is valid."""


async def told(
    dsn: str,
    plan: Plan,
    faults: Chain,
    record: Sequence[Disturbance] = (),
    text: str = PLANT,
    hours: int = HOURS,
) -> dict[tuple[str, int], Told]:
    """(point, start) → what the site says of each minute that is checked, replaced meters being declared."""
    line = Line(plan, faults, hours)
    ingest = await open_site(dsn, text, Clock(at=START + (hours + 1) * HOUR))
    await feed(ingest, await line.published(), batch=200)
    for one in record:
        if one.fault == "replaced":
            final, initial = (count / 1000 for count in one.numbers)
            where = one.point.removeprefix("cement/")
            approve(dsn, where, one.at, "replacement", site="cement", old_final=final, new_initial=initial)
    await take_declared(ingest, dsn)
    await ingest.close()
    checked = START + 5 * MINUTE, START + hours * HOUR - 5 * MINUTE
    truth, edges = Truth(line.plant), list(range(checked[0], checked[1] + 1, MINUTE))
    found: dict[tuple[str, int], Told] = {}
    stored = _intervals(dsn)
    for point in plan.points[: plan.n_measured]:
        for start, amount in zip(edges[:-1], truth.amounts(point.id, edges), strict=True):
            found[point.id, start] = _beside(point.kind, Fraction(amount), stored.get((point.id, start)))
    return found


Row = tuple[float | None, int | None, float | None, int, int, int, int]


def _intervals(dsn: str) -> dict[tuple[str, int], Row]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            """
            SELECT id, (extract(epoch FROM start_at) * 1000000)::bigint, amount, amount_count, mean, covered_us,
                   valid_us, quality, reasons
              FROM interval JOIN point USING (point_no) WHERE revision > 0
            """
        ).fetchall()
    return {(row[0], row[1]): tuple(row[2:]) for row in rows}


def _beside(kind: Kind, truth: Fraction, row: Row | None) -> Told:
    if row is None:
        return Told(truth, None, flagged=True, is_right=False)
    amount, counts, mean, covered_us, valid_us, quality, reasons = row
    figure = counts if kind is Kind.COUNTER else mean if kind is Kind.SAMPLE else amount
    flagged = quality > 0 or reasons > 0 or covered_us < MINUTE or figure is None
    if figure is None:
        return Told(truth, None, flagged=True, is_right=False)
    slack = abs(truth) / 1000 + (2 if kind is Kind.COUNTER else 0)
    is_right = abs(Fraction(figure) - truth) <= slack
    return Told(truth, Fraction(figure), flagged, is_right, valid_us == MINUTE)


def check(found: dict[tuple[str, int], Told], plan: Plan, record: list[Disturbance]) -> None:
    """The promises, and the totals."""
    drifted = {(one.point, one.at - one.at % MINUTE) for one in record if one.fault == "drift"}
    seen = {(point, hour + HOUR) for point, hour in _apart(found)}
    hidden = {(point, start) for point, start in drifted if (point, start - start % HOUR) not in seen}
    unseen = [
        (place, one)
        for place, one in found.items()
        if place not in hidden and not (one.flagged or one.is_right)
    ]
    assert not unseen, [(p, float(o.truth), float(o.figure or 0)) for p, o in unseen[:5]]
    for one in record:
        at = None if one.shown_at is None else one.shown_at - one.shown_at % MINUTE
        if one.fault not in CHANGES or at is None or (one.point, at) not in found:
            continue
        if one.fault == "stuck" and (one.at - one.since < STUCK_AFTER or (one.point, at) in hidden):
            continue  # a value that stands and drifts does not stand
        assert found[one.point, at].flagged, one
    assert all(found[place].flagged for place in drifted - hidden if place in found)
    for point in plan.points[: plan.n_measured]:
        mine = [one for (name, at), one in found.items() if name == point.id and (name, at) not in hidden]
        if point.kind is not Kind.COUNTER:
            mine = [one for one in mine if not one.flagged]
        truth = sum((one.truth for one in mine), Fraction(0))
        figure = sum((one.figure or Fraction(0) for one in mine), Fraction(0))
        assert len(mine) > 20, point.id
        assert abs(figure - truth) <= truth / 1000, point.id


def _apart(found: dict[tuple[str, int], Told]) -> set[tuple[str, int]]:
    """(point, hour) in which a point's figures were further from the truth than its tolerance."""
    sums: dict[tuple[str, int], tuple[Fraction, Fraction]] = {}
    for (point, start), one in found.items():
        if one.figure is not None and one.is_whole:
            figure, truth = sums.get((point, start - start % HOUR), (Fraction(0), Fraction(0)))
            sums[point, start - start % HOUR] = figure + one.figure, truth + one.truth
    return {place for place, (figure, truth) in sums.items() if abs(figure - truth) > TOLERANCE * abs(truth)}


def made(shares: dict[str, float], record: list[Disturbance], registers: Collection[str]) -> Chain:
    """The faults, those of readings that are not among `registers` for others than registers only."""
    faults: list[ReadingFault | MessageFault] = []
    for name, kind in FAULTS.items():
        if name not in shares:
            continue
        fault = kind.make(shares[name], SEED, record.append)
        if name == "drift":
            # Of samples there is no second instrument.
            drift = Drift(shares[name], SEED, record.append, span_us=DRIFTS_FOR, per_hour=DRIFTS_PER_HOUR)
            faults.append(Only(drift, [Kind.GAUGE]))
            continue
        if isinstance(fault, ReadingFault) and (name == "wrong-unit" or name not in registers):
            faults.append(Only(fault, (*MEASURED, Kind.STATE)))
        else:
            faults.append(fault)
        if name == "wrong-unit" and name in registers:
            faults.append(Only(WrongUnit(shares[name], SEED, record.append, span_us=SECOND), [Kind.COUNTER]))
    return Chain(faults)


async def test_without_faults_every_figure_is_right_and_good(dsn: str) -> None:
    plan = compile_plan(parse_plant(PLANT, "faulty_line.yaml"))
    found = await told(dsn, plan, Chain([]))
    assert all(one.is_right and not one.flagged for one in found.values())
    assert all(
        one.figure == one.truth
        for (name, _), one in found.items()
        if plan.points[plan.index[name]].kind is Kind.COUNTER
    )


async def test_with_faults_nothing_wrong_goes_unseen_and_totals_stand(dsn: str) -> None:
    plan = compile_plan(parse_plant(PLANT, "faulty_line.yaml"))
    record: list[Disturbance] = []
    shares = {name: share for name, share in SHARES.items() if name != "replaced"}
    found = await told(dsn, plan, made(shares, record, {"rollover", "reset"}), record)
    assert {one.fault for one in record} == set(shares)
    check(found, plan, record)
    assert 0.05 < sum(one.flagged for one in found.values()) / len(found) < 0.9


async def test_with_every_fault_on_every_point_totals_stand(dsn: str) -> None:
    plan = compile_plan(parse_plant(PLANT, "faulty_line.yaml"))
    record: list[Disturbance] = []
    found = await told(dsn, plan, made(SHARES, record, set(SHARES)), record)
    assert {one.fault for one in record} == set(SHARES)
    check(found, plan, record)


async def test_a_plant_without_rules_would_not_see_them(dsn: str) -> None:
    """What the check is worth: without limits a spike is a figure like any other."""
    text = re.sub(r", (limits: \[.*?\]|stuck_after: \w+)", "", PLANT)
    plan = compile_plan(parse_plant(text, "faulty_line.yaml"))
    record: list[Disturbance] = []
    found = await told(dsn, plan, made({"spike": 0.004}, record, set()), record, text)
    with pytest.raises(AssertionError):
        check(found, plan, record)


async def drifting(
    dsn: str, shares: dict[str, float], text: str = PLANT
) -> tuple[dict[tuple[str, int], Told], Plan, list[Disturbance]]:
    """Hours with drift and other faults, and their record."""
    plan, record = compile_plan(parse_plant(text, "faulty_line.yaml")), list[Disturbance]()
    faults = made({**shares, "drift": DRIFTS}, record, {"rollover", "reset"})
    return await told(dsn, plan, faults, record, text, HOURS_OF_DRIFT), plan, record


async def test_with_every_fault_and_drift_nothing_wrong_goes_unseen_and_totals_stand(dsn: str) -> None:
    shares = {name: share for name, share in SHARES.items() if name != "replaced"}
    found, plan, record = await drifting(dsn, shares)
    assert {one.fault for one in record} == {*shares, "drift"}
    # Of what a burst held back nobody can say that its clock was ahead.
    held = {(one.point, one.at) for one in record if one.fault == "burst"}  # by what their clocks showed
    seeable = [one for one in record if one.fault != "clock-skew" or (one.point, one.shown_at) not in held]
    assert 0 < len(record) - len(seeable) < len(record) / 100
    check(found, plan, seeable)


async def test_drift_alone_is_seen_from_the_hour_after(dsn: str) -> None:
    found, plan, record = await drifting(dsn, {})
    check(found, plan, record)
    drifted = {(one.point, one.at - one.at % MINUTE) for one in record}
    flagged = {place for place, one in found.items() if one.flagged}
    assert {point for point, _ in drifted} >= {point for point, _ in flagged} >= {"cement/kiln/power"}
    assert all((point, start - start % HOUR - HOUR) in _apart(found) for point, start in flagged)
    assert 0.1 < len(flagged & drifted) / len(drifted & found.keys()) < 0.9


async def test_a_plant_that_compares_nothing_would_not_see_drift(dsn: str) -> None:
    found, plan, record = await drifting(dsn, {}, re.sub(r", compare: {.*?}", "", PLANT))
    with pytest.raises(AssertionError):
        check(found, plan, record)
