"""Hours of the simulated line through its faults and through ingest: what is told of it, beside the truth.

The part of the line in `faulty_line.yaml`, live. A figure is right if it is within a thousandth of the
truth (a register's also within two counts). Replaced meters are declared, as somebody would who
has read both. What is expected of a line with faults is told in `test_faults`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import psycopg
import pytest

from ingest.model import HOUR, MINUTE, SECOND, Kind, StepClass
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
PERIOD = 5 * SECOND
"""Of every point."""
CHANGES = {"stuck", "wrong-unit", "spike", "clock-skew", "reset", "replaced"}
"""Faults of which every changed reading is to be seen; a clock that stands leaves a gap instead."""
DRIFTS_FOR = 2 * HOUR
DRIFTS_PER_HOUR = 0.1

Place = tuple[str, int]
"""A point, and the start of a minute."""


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


@dataclass(frozen=True, slots=True)
class Run:
    """What the site says of each minute that is checked."""

    found: dict[Place, Told]
    lost: dict[str, Fraction]
    """Of each register what its ledger leaves out at steps that are nothing a register does, in counts."""


async def told(
    dsn: str,
    plan: Plan,
    faults: Chain,
    record: Sequence[Disturbance] = (),
    text: str = PLANT,
    hours: int = HOURS,
) -> Run:
    """Run the line for some hours and ask, replaced meters being declared."""
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
    found: dict[Place, Told] = {}
    stored = _intervals(dsn)
    for point in plan.points[: plan.n_measured]:
        for start, amount in zip(edges[:-1], truth.amounts(point.id, edges), strict=True):
            found[point.id, start] = _beside(point.kind, Fraction(amount), stored.get((point.id, start)))
    return Run(found, {point: _lost(dsn, truth, point, record, checked) for point in _counters(plan)})


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


def _counters(plan: Plan) -> Iterable[str]:
    return (point.id for point in plan.points if point.kind is Kind.COUNTER)


def _lost(
    dsn: str, truth: Truth, point: str, record: Sequence[Disturbance], checked: tuple[int, int]
) -> Fraction:
    """What the register truly counted over steps of the ledger that are resets or not plausible, beyond what they book.

    That is what it never showed, or showed only beside what it cannot have counted. Each has a fault to blame.
    """
    with psycopg.connect(dsn) as connection:
        steps = connection.execute(
            """
            SELECT (extract(epoch FROM previous_at) * 1000000)::bigint, (extract(epoch FROM at) * 1000000)::bigint,
                   increment
              FROM ledger JOIN point USING (point_no) WHERE id = %s AND class = ANY(%s) ORDER BY at
            """,
            [point, [int(StepClass.RESET), int(StepClass.IMPLAUSIBLE)]],
        ).fetchall()
    mine = [one for one in record if one.point == point and one.shown_at is not None]
    total = Fraction(0)
    for previous_at, at, increment in steps:
        to_blame = [one for one in mine if one.fault in {*CHANGES, "frozen-time"}]
        assert any(previous_at <= (one.shown_at or 0) <= at for one in to_blame), (point, previous_at, at)
        if checked[0] < at <= checked[1]:
            begin, end = _true_instant(mine, previous_at), _true_instant(mine, at)
            total += Fraction(truth.amounts(point, [begin, end])[0]) - increment
    return total


def _true_instant(record: Sequence[Disturbance], shown_at: int) -> int:
    """When that was so of which a message last said it was at an instant."""
    clocks = {"clock-skew", "frozen-time"}
    return max(
        (one.at for one in record if one.fault in clocks and one.shown_at == shown_at), default=shown_at
    )


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


def made(shares: dict[str, float], record: list[Disturbance], registers: Collection[str], seed: int) -> Chain:
    """The faults, those of readings that are not among `registers` for others than registers only."""
    faults: list[ReadingFault | MessageFault] = []
    for name, kind in FAULTS.items():
        if name not in shares:
            continue
        fault = kind.make(shares[name], seed, record.append)
        if name == "drift":
            # Of samples there is no second instrument.
            drift = Drift(shares[name], seed, record.append, span_us=DRIFTS_FOR, per_hour=DRIFTS_PER_HOUR)
            faults.append(Only(drift, [Kind.GAUGE]))
            continue
        if isinstance(fault, ReadingFault) and (name == "wrong-unit" or name not in registers):
            faults.append(Only(fault, (*MEASURED, Kind.STATE)))
        else:
            faults.append(fault)
        if name == "wrong-unit" and name in registers:
            faults.append(Only(WrongUnit(shares[name], seed, record.append, span_us=SECOND), [Kind.COUNTER]))
    return Chain(faults)
