"""From buckets to lines of costs: every bucket at the price of its time, by the version that it names.

Pure: no database, no clock. Energy, what is exported, and carbon are components of their own; carbon also by
scope, route, basis and supply, which are accounts of the same gas. Nothing is netted.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from ingest.methods.figures import NoFigure
from ingest.plant.plan import Plan, PlanSource
from ingest.plant.plan_prices import PlanMeter, PlanTariff
from ingest.plant.series import decimal
from service.cost_rows import Bucket, Names, meter_at
from service.cost_tally import Tally
from service.cost_versions import InForce, Spell
from service.local_time import local
from service.times import from_datetime

GroupBy = Literal["hour", "day", "month", "unit", "carrier", "period"]
Component = Literal["energy", "export", "carbon", "demand"]


@dataclass(frozen=True, slots=True)
class Key:
    """What tells one line from others."""

    group: str
    component: Component
    scope: int | None = None
    route: str | None = None
    basis: str | None = None
    supply: str | None = None


Tallies = dict[Key, Tally]
ALL = "all"
"""The group of carbon where lines are by period of a tariff: it has none."""


class Ledger:
    """The lines of one site over one span."""

    def __init__(
        self,
        plan: Plan,
        plans: Mapping[int, Plan],
        group_by: GroupBy,
        span: tuple[int, int],
        grain_us: int,
        in_force: InForce | None = None,
    ) -> None:
        """Of the newest plan, the versions that buckets name, and a span in µs on edges of intervals.

        `in_force` says which versions should have told something when; None: the newest, at all times.
        """
        self.tallies: Tallies = {}
        self._plan, self._plans, self._group_by = plan, plans, group_by
        self._names = Names(plan)
        self._in_force = in_force or InForce((), self._names, plan.version, plan.index)
        self._from_at, self._to_at = span
        self._grain_us = grain_us
        first = self._from_at - self._from_at % grain_us
        self._bins = range(first, self._to_at, grain_us)
        self._locals = {at: local(at, plan.zone) for at in self._bins}
        self._labels = {at: _label(shown, group_by) for at, shown in self._locals.items()}

    def put_meters(self, buckets: Iterable[Bucket]) -> None:
        """Price the counts of all meters."""
        by_version = {version: self._names.meters(plan) for version, plan in self._plans.items()}
        told = _by_bin(self._names, buckets)
        for point in sorted({point for meters in by_version.values() for point in meters}):
            for at in self._bins:
                found = told.get((point, at), [])
                span = max(at, self._from_at), min(at + self._grain_us, self._to_at)
                due = [
                    spell
                    for spell in self._due([point], span)
                    if meter_at(by_version.get(spell[2], {}).get(point, []), at) is not None
                ]
                stretch = (due[0][0], due[-1][1]) if due else span
                is_expected = False
                each: list[tuple[int, Bucket | None]] = [(one.version, one) for one in found]
                for version, bucket in each or [(spell[2], None) for spell in due[:1]]:
                    meters = by_version.get(version, {}).get(point, [])
                    is_expected |= self._put_meter(
                        self._plans.get(version), meters, point, at, stretch, bucket, first=not is_expected
                    )

    def _due(self, points: Iterable[str], span: tuple[int, int]) -> list[Spell]:
        """What of a span (µs) each version has to tell of at points, in order of time."""
        return sorted(
            (max(begin, span[0]), min(end, span[1]), version)
            for point in points
            for begin, end, version in self._in_force.spells(point)
            if begin < span[1] and end > span[0]
        )

    def _put_meter(
        self,
        plan: Plan | None,
        meters: Sequence[PlanMeter],
        point: str,
        at: int,
        span: tuple[int, int],
        bucket: Bucket | None,
        *,
        first: bool,
    ) -> bool:
        """Whether the point has been counted on in its line."""
        meter = meter_at(meters, at)
        if plan is None or meter is None:
            if bucket is not None and bucket.amount is not None:
                self._unpriced(point, at, span, bucket)
            return False
        tariff = plan.prices.tariffs[meter.tariff]
        period = tariff.period_at(self._locals[at])
        key = self._meter_key(meter, tariff, period, at)
        if key is None:
            return False
        tally = self._tally(key, span)
        if first or bucket is None:
            tally.expect(point, *span)
        tally.prices[tariff.id] = tariff.trust
        if bucket is None:
            return True
        count = (
            Fraction(bucket.amount)
            if bucket.amount is not None and bucket.amount.is_finite()
            else Fraction(0)
        )
        sign = -1 if tariff.direction == "export" else 1
        money = sign * count * meter.per_count[period]
        tally.add(bucket, money, count * meter.amount_per_count, tariff.amount_unit)
        return True

    def _unpriced(self, point: str, at: int, span: tuple[int, int], bucket: Bucket) -> None:
        """A count that no tariff prices makes the line it would stand in none."""
        named = [meter for meter in self._plan.prices.meters if self._plan.points[meter.point].id == point]
        if not named:
            return
        tariff = self._plan.prices.tariffs[named[0].tariff]
        key = self._meter_key(named[0], tariff, 0, at)
        if key is not None:
            tally = self._tally(key, span)
            tally.expect(point, *span)
            tally.add(bucket, None, Fraction(0), None)

    def _meter_key(self, meter: PlanMeter, tariff: PlanTariff, period: int, at: int) -> Key | None:
        component: Component = "export" if tariff.direction == "export" else "energy"
        if self._group_by == "unit":
            group = (meter.unit or self._plan.site) if meter.submeter else self._plan.site
            # The site's own line is of what is billed; a part of it that no unit has is unallocated with the rest.
            return None if meter.submeter and meter.unit is None else Key(group, component)
        if meter.submeter:
            return None
        match self._group_by:
            case "carrier":
                return Key(tariff.carrier, component)
            case "period":
                return Key(tariff.periods[period].name, component)
            case _:
                return Key(self._labels[at], component)

    def put_sources(self, buckets: Iterable[Bucket], without_mass: Mapping[str, Container[int]]) -> None:
        """Price the gas of all gross sources, in CO2e; a line with a bucket that lacks a mass is none."""
        by_version = {version: self._names.sources(self._plans[version]) for version in sorted(self._plans)}
        told = _by_bin(self._names, buckets)
        newest = {source_id: version for version, those in by_version.items() for source_id in those}
        for source_id, named in newest.items():
            source = by_version[named][source_id]
            reads = {
                version: self._names.of(self._plans[version].points[those[source_id].point].id)
                for version, those in by_version.items()
                if source_id in those
            }
            for at in self._bins:
                span = max(at, self._from_at), min(at + self._grain_us, self._to_at)
                found = told.get((source_id, at), [])
                due = [one for one in self._due(set(reads.values()), span) if one[2] in reads]
                if not due and not found:
                    continue
                stretch = (due[0][0], max(end for _, end, _ in due)) if due else span
                tally = self._tally(self._source_key(self._plans[named], source, at), stretch)
                tally.expect(source_id, *stretch)
                if at in without_mass.get(source_id, ()):
                    tally.missing = NoFigure.NO_FACTOR
                for bucket in found:
                    self._put_mass(tally, by_version.get(bucket.version, {}).get(source_id, source), bucket)

    def _put_mass(self, tally: Tally, source: PlanSource, bucket: Bucket) -> None:
        plan = self._plans.get(bucket.version)
        carbon = None if plan is None else plan.prices.carbon
        if carbon is not None:
            tally.prices["carbon_price"] = carbon.trust
        co2e_kg = Fraction(0)
        if bucket.amount is not None and bucket.amount.is_finite():
            co2e_kg = Fraction(bucket.amount) * decimal(source.co2e_per_kg)
        tally.add(bucket, None if carbon is None else co2e_kg * carbon.per_kg, co2e_kg, "kg")

    def _source_key(self, plan: Plan, source: PlanSource, at: int) -> Key:
        group = {
            "unit": source.unit or self._plan.site,
            "carrier": plan.points[source.point].carrier or "none",
            "period": ALL,
        }.get(self._group_by, self._labels[at])
        return Key(group, "carbon", source.scope, source.route, source.basis, source.supply)

    def _tally(self, key: Key, span: tuple[int, int]) -> Tally:
        return self.tallies.setdefault(key, Tally(*span))


def _by_bin(names: Names, buckets: Iterable[Bucket]) -> dict[tuple[str, int], list[Bucket]]:
    found: dict[tuple[str, int], list[Bucket]] = {}
    for bucket in buckets:
        found.setdefault((names.of(bucket.id), bucket.at), []).append(bucket)
    return found


def _label(shown: datetime, group_by: GroupBy) -> str:
    """The hour, day or month that the clock on the wall shows; an hour with its offset, for one comes twice a year."""
    match group_by:
        case "hour":
            return shown.replace(minute=0, second=0, microsecond=0).isoformat()
        case "day":
            return shown.date().isoformat()
        case "month":
            return f"{shown:%Y-%m}"
        case _:
            return ""


def label_begin(group: str, group_by: GroupBy) -> int:
    """Where an hour's group begins, µs: to put groups in order of time."""
    return from_datetime(datetime.fromisoformat(group)) if group_by == "hour" else 0


def roll_up(plan: Plan, tallies: Tallies) -> Tallies:
    """Lines of units made those of the tree: with what is in them, and beside them what no unit has.

    A unit that has submeters is what they say; one that has none is the sum of those in it. What the units
    directly below the site do not explain of what is billed is unallocated; it may be below 0.
    """
    made: Tallies = {}
    components: set[Component] = {key.component for key in tallies if key.component != "carbon"}
    for component in sorted(components):
        whole = _inclusive(plan, tallies, component)
        made |= {Key(unit, component): tally for unit, tally in whole.items()}
        site = tallies.get(Key(plan.site, component))
        if site is None:
            continue
        rest = Tally(site.from_at, site.to_at)
        rest.join(site)
        for unit, tally in whole.items():
            if unit.count("/") == 1:
                rest.join(tally, sign=-1)
        made |= {Key(plan.site, component): site, Key(f"{plan.site}/unallocated", component): rest}
    return made | {key: tally for key, tally in tallies.items() if key.component == "carbon"}


def _inclusive(plan: Plan, tallies: Tallies, component: Component) -> dict[str, Tally]:
    """Every unit that has submeters in it, with all that is in it."""
    whole: dict[str, Tally] = {}
    for unit in sorted((one.id for one in plan.units), key=lambda path: -path.count("/")):
        own = tallies.get(Key(unit, component))
        if own is not None:
            whole[unit] = own
            continue
        inside = [tally for path, tally in whole.items() if path.rpartition("/")[0] == unit]
        if inside:
            total = Tally(inside[0].from_at, inside[0].to_at)
            for tally in inside:
                total.join(tally)
            whole[unit] = total
    return whole
