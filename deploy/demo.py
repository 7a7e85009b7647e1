"""Two plants end to end: a real steel works replayed, a cement line simulated.

With a time limit it stops by itself: the simulators first (they wait for every
acknowledgement), then it waits until the database holds what was published,
and only then ingest and the rest. Its verdict is the tally of every point.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.account import unprivileged_account
from deploy.display import Display, printer, terminal
from deploy.figures import CommittedReadings, SiteLine, latest, site_line
from deploy.stack import Wishes, our_part, start
from deploy.state import Endpoints, State
from deploy.supervisor import StopRequestedError, Supervisor
from deploy.tally import PointTally, Statistics, count_stored, read_statistics
from ingest.errors import StackwattError

SITES = ("steel", "cement")
_REFRESH_S = 1.0
_ACKNOWLEDGE_TIMEOUT_S = 120.0
_STORE_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Demo:
    """A stack with its simulators."""

    state: State
    supervisor: Supervisor
    endpoints: Endpoints
    say: Callable[[str], None]

    def start_simulators(self) -> None:
        """Start one process per site, with statistics of this run only."""
        for site in SITES:
            statistics = self._statistics_file(site)
            statistics.unlink(missing_ok=True)
            self.supervisor.start(
                our_part(
                    self.state,
                    _simulator(site),
                    ["simulate", site, "--stats", str(statistics)],
                    {"STACKWATT_MQTT_URL": self.endpoints.mqtt_url},
                    answers=statistics.exists,
                    grace_s=_ACKNOWLEDGE_TIMEOUT_S,
                    restart=False,  # it counts; a second one would count from nothing
                )
            )
        self.supervisor.wait([_simulator(site) for site in SITES], _ACKNOWLEDGE_TIMEOUT_S)

    def show(self, display: Display, run_for_s: float | None) -> None:
        """Refresh the summary until the time is over, or for ever."""
        committed = CommittedReadings(self.endpoints.dsn)
        end = None if run_for_s is None else time.monotonic() + run_for_s
        while end is None or time.monotonic() < end:
            rates = committed.rates(time.monotonic())
            display.show([self._line(site, rates.get(site)) for site in SITES])
            left = _REFRESH_S if end is None else min(_REFRESH_S, end - time.monotonic())
            self.supervisor.pause(max(0.0, left))

    def finish(self) -> list[tuple[Statistics, list[PointTally]]]:
        """Stop the simulators, wait for the database, and compare."""
        self.say("stopping the simulators: each waits for its acknowledgements")
        for site in SITES:
            self.supervisor.ask_to_stop(_simulator(site))
        deadline = time.monotonic() + _ACKNOWLEDGE_TIMEOUT_S
        while any(self.supervisor.exit_code(_simulator(site)) is None for site in SITES):
            if time.monotonic() > deadline:
                break
            self.supervisor.pause(0.1)
        statistics = [self._statistics(site) for site in SITES]
        self.say("waiting until everything published is stored")
        deadline = time.monotonic() + _STORE_TIMEOUT_S
        while True:
            tallies = [(each, count_stored(self.endpoints.dsn, each)) for each in statistics]
            agreed = all(point.agrees for _, points in tallies for point in points)
            if agreed or time.monotonic() > deadline:
                return tallies
            self.supervisor.pause(_REFRESH_S)

    def _line(self, site: str, rate: float | None) -> SiteLine:
        return site_line(site, rate, latest(self.endpoints, site))

    def _statistics(self, site: str) -> Statistics:
        statistics = read_statistics(self._statistics_file(site))
        if statistics is None:
            raise StackwattError(f"the simulator of {site} left no statistics; see {self.state.logs}")
        return statistics

    def _statistics_file(self, site: str) -> Path:
        return self.state.folder / f"{site}.stats.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a demo with a time limit has shown."""

    tallies: Sequence[tuple[Statistics, Sequence[PointTally]]]
    kpis: Sequence[dict[str, Any]]

    @property
    def ok(self) -> bool:
        """Whether every simulator finished and every point's three numbers are one."""
        return all(
            statistics.finished and points and all(point.agrees for point in points)
            for statistics, points in self.tallies
        )

    def sentences(self) -> list[str]:
        """One per site, and one per point that does not agree."""
        lines = []
        for statistics, points in self.tallies:
            wrong = [point for point in points if not point.agrees]
            stored = sum(point.stored for point in points)
            verdict = f"{len(wrong)} points differ" if wrong else "each as published and acknowledged"
            lines.append(f"{statistics.site}: {stored:,} readings of {len(points)} points stored, {verdict}")
            lines += [
                f"  {point.id}: published {point.published}, acknowledged {point.acknowledged}, "
                f"stored {point.stored}"
                for point in wrong
            ]
        return lines

    def body(self, endpoints: Endpoints, key_file: Path) -> dict[str, Any]:
        """The object of `--json`."""
        sites = [
            {"id": statistics.site, "points": [asdict(point) for point in points]}
            for statistics, points in self.tallies
        ]
        return {
            "ports": endpoints.ports,
            "key_file": str(key_file),
            "sites": sites,
            "kpis": list(self.kpis),
            "ok": self.ok,
        }


def run(wishes: Wishes, run_for_s: float | None, *, as_json: bool) -> int:
    """Run the demo; the exit code: 1 where a point's three numbers differ.

    Raises:
        StopRequestedError: it was stopped before its time was over, so there is no verdict.
    """
    wishes.check()
    console = terminal(to_stderr=as_json)
    say = printer(console)
    with State(wishes.state, unprivileged_account()) as state, Supervisor(say) as supervisor:
        endpoints = start(wishes, state, supervisor, say)
        demo = Demo(state, supervisor, endpoints, say)
        demo.start_simulators()
        say(f"page: {endpoints.page}   key: {endpoints.key}   (also in {state.key_file})")
        try:
            with Display(console, f"stackwatt  {endpoints.page}") as display:
                demo.show(display, run_for_s)
        except StopRequestedError:
            if run_for_s is None:
                return 0
            raise
        tallies = demo.finish()
        outcome = Outcome(tallies, [item for site in SITES for item in latest(endpoints, site)])
        body = outcome.body(endpoints, state.key_file)
    for sentence in outcome.sentences():
        say(sentence)
    if as_json:
        sys.stdout.write(json.dumps(body) + "\n")
    return 0 if outcome.ok else 1


def _simulator(site: str) -> str:
    return f"simulator-{site}"
