"""Replay of a site's stored readings, day by day: checked, or what differs restated.

A check only reads and may run beside the site's ingest. Restating takes the site's
writer lock, so an ingest of it must not run.
"""

import fnmatch
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
from psycopg import AsyncConnection

from ingest.errors import InputError
from ingest.site import Clocks
from ingest.spans import days_of, edge_of, site_of
from ingest.store import documents
from ingest.store.audit import CONSOLE, Actor
from ingest.store.mismatch import Mismatch
from ingest.store.replay import Replay
from ingest.store.restate import Restatement
from ingest.store.writer import Writer
from kernels.rows import NO_COUNT

SHOWN = 20
"""Differences that are shown one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to replay."""

    site: str | None
    """None: the only one."""
    points: str
    """Patterns of point ids, with or without the site in front, joined by commas."""
    from_at: str
    """RFC 3339 with offset, or a date: its midnight in the site's zone."""
    to_at: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not stored as it comes out."""

    table: str
    id: str
    at: int
    """µs."""
    what: str
    """`missing`, `extra` or `differs`."""
    columns: dict[str, tuple[float | None, float | None]]
    """What is stored and what comes out, where both are there."""


@dataclass(slots=True)
class Outcome:
    """What a replay has found."""

    site: str
    from_at: int
    to_at: int
    readings: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    """Rows that came out, per table."""
    different: Counter[str] = field(default_factory=Counter)
    """Rows that differ, per table."""
    first: list[Difference] = field(default_factory=list)
    restated: bool = False

    @property
    def equal(self) -> bool:
        """Whether everything is stored as it comes out."""
        return not self.different


Report = Callable[[int, int], None]
"""Told (done, total) in point-days."""


async def replay(
    dsn: str, wanted: Wanted, clocks: Clocks, report: Report, holder: str | None, actor: Actor = CONSOLE
) -> Outcome:
    """Replay a span; with a `holder` take the site in its name and restate what differs, as `actor`.

    Raises:
        InputError: there is no such site, point or span.
        SiteBusyError: an ingest holds the site, and what differs is to be restated.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        site_no, site = await site_of(connection, wanted.site)
        replayed = Replay(connection, site_no, _chooser(site, wanted.points))
        newest = await replayed.prepare()
        if newest is None:
            raise InputError(f"site is {site!r}; expected one whose plant file has been applied")
        for pattern in wanted.points.split(","):
            if not any(map(_chooser(site, pattern), replayed.versions.names["point"].values())):
                raise InputError(f"--points is {pattern!r}; expected a pattern that fits a point of {site}")
        plan = newest.plan
        from_at, to_at = (
            edge_of(text, plan, name) for name, text in (("from", wanted.from_at), ("to", wanted.to_at))
        )
        if from_at >= to_at:
            raise InputError(f"--to is {wanted.to_at!r}; expected an instant after --from {wanted.from_at!r}")
        outcome = Outcome(site, from_at, to_at)
        writer = Writer(dsn, site_no, str(plan.zone), clocks.now) if holder is not None else None
        try:
            restatement = None
            if writer is not None and holder is not None:
                await writer.take_site(holder)
                await writer.resume()
                restatement = Restatement(writer, newest, actor)
            await replayed.begin(alone=restatement is not None)
            await _run(replayed, plan.zone, outcome, report, restatement)
            told, differing = await documents.replayed(connection, site_no, plan, from_at, to_at)
            outcome.compared |= {"document": told} if told else {}
            outcome.different += Counter({"document_piece": differing})
        finally:
            if writer is not None:
                await writer.close()
    return outcome


async def _run(
    replayed: Replay, zone: ZoneInfo, outcome: Outcome, report: Report, restatement: Restatement | None
) -> None:
    days = list(days_of(outcome.from_at, outcome.to_at, zone))
    total, done = len(days) * len(replayed.points), 0

    def step() -> None:
        nonlocal done
        done += 1
        report(done, total)

    for begin, end, whole in days:
        found = await replayed.day(begin, end, whole=whole, done=step)
        for mismatch in found:
            outcome.different[mismatch.table.name] += mismatch.rows
            outcome.first += differences(mismatch)[: max(0, SHOWN - len(outcome.first))]
        if restatement is not None and found:
            await restatement.write(found)
            outcome.restated = True
    hours = await replayed.hours(outcome.from_at, outcome.to_at)
    for mismatch in hours:
        outcome.different[mismatch.table.name] += mismatch.rows
        outcome.first += differences(mismatch)[: max(0, SHOWN - len(outcome.first))]
    if restatement is not None and hours:
        await restatement.write_hours(hours)
        outcome.restated = True
    outcome.readings, outcome.compared = replayed.tally.readings, dict(replayed.tally.compared)


def differences(mismatch: Mismatch) -> list[Difference]:
    """Each row of a mismatch by itself, in order of time."""
    found, table, compared = [], mismatch.table, mismatch.compared
    n_missing, n_extra = compared.missing.size, compared.extra.size
    found += [_one(mismatch, row, "missing", {}) for row in mismatch.made[:n_missing]]
    found += [_one(mismatch, row, "extra", {}) for row in mismatch.kept[:n_extra]]
    pairs = zip(mismatch.kept[n_extra:], mismatch.made[n_missing:], compared.columns, strict=True)
    for kept, made, differs in pairs:
        names = [name for name, one in zip(table.columns, differs.tolist(), strict=True) if one]
        found.append(
            _one(
                mismatch, made, "differs", {name: (_shown(kept[name]), _shown(made[name])) for name in names}
            )
        )
    return sorted(found, key=lambda one: one.at)


def _one(
    mismatch: Mismatch, row: np.void, what: str, columns: dict[str, tuple[float | None, float | None]]
) -> Difference:
    return Difference(mismatch.table.name, mismatch.name, int(row[mismatch.table.at]), what, columns)


def _shown(value: np.generic) -> float | None:
    plain: float = value.item()
    return None if plain != plain or plain == int(NO_COUNT) else plain  # noqa: PLR0124  NaN is none


def _chooser(site: str, patterns: str) -> Callable[[str], bool]:
    def chosen(point: str) -> bool:
        return any(
            fnmatch.fnmatchcase(name, pattern)
            for pattern in patterns.split(",")
            for name in (point, point.removeprefix(f"{site}/"))
        )

    return chosen
