"""What is done to the parts, at random by seed: a deck of faults, shuffled again and again.

Every fault notes its kind, when it began and when the run gave back what it had
taken; what the parts then make of it is theirs. Deaths are told apart from cuts:
a death is a SIGKILL, or the immediate shutdown of all of PostgreSQL's processes.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable  # noqa: TC003  readers want it here
from dataclasses import dataclass

from tests.chaos.world import World
from tests.recovery.proxy import Cut

CUTS = (Cut.BEFORE, Cut.AFTER, Cut.HELD, Cut.DEAF)
CUT_PATIENCE_S = 5.0
"""How long to wait for a COMMIT to cut."""
LONG_S = (12.0, 15.0)
"""An outage so long that `/readyz` has to have noticed."""

DECK = {
    "ingest killed": 6,
    "ingest killed while catching up": 2,
    "ingest and database killed": 1,
    "database shut down at once": 2,
    "postmaster killed": 1,
    "service killed": 2,
    "broker restarted": 2,
    "database connections cut": 3,
    "cut at COMMIT": 5,
    "broker connection cut": 2,
    "broker connection held up": 1,
    "ingest paused": 1,
    "database paused": 1,
    "broker paused": 1,
    "service paused": 1,
}
BROKER_DECK = {"broker killed": 3, "ingest killed": 1, "database connections cut": 1}
"""Of a run about what the broker loses."""
LONG = ("database away for long", "database paused for long", "broker away for long")
"""One of these a deck, where there is time for it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One that was done; wall clock, s."""

    kind: str
    began_at: float
    given_back_at: float


class Torment:
    """Does one fault after the other."""

    def __init__(self, world: World, dice: random.Random, *, long: bool, broker_dies: bool = False) -> None:
        """`long` outages too; `broker_dies`: a run about what the broker loses by SIGKILL."""
        self._world = world
        self._dice = dice
        self._kinds = BROKER_DECK if broker_dies else DECK
        self._long = long and not broker_dies
        self._deck: list[str] = []
        self.done: list[Fault] = []
        self.deaths: Counter[str] = Counter()
        """Of ingest, database, service; of the broker by SIGKILL."""
        self._how: dict[str, Callable[[], None]] = {
            "ingest killed": self._ingest,
            "ingest killed while catching up": self._catching_up,
            "ingest and database killed": self._both,
            "database shut down at once": lambda: self._database(signal.SIGQUIT),
            "postmaster killed": lambda: self._database(signal.SIGKILL),
            "service killed": self._service,
            "broker restarted": lambda: self._broker(self._pause(2)),
            "broker killed": lambda: self._broker(self._pause(2), kill=True),
            "database connections cut": world.links.cut_database,
            "cut at COMMIT": self._commit,
            "broker connection cut": world.links.cut_broker,
            "broker connection held up": self._held_up,
            "ingest paused": lambda: self._stopped("ingest", self._pause(5)),
            "database paused": lambda: self._stopped("database", self._pause(5)),
            "broker paused": lambda: self._stopped("broker", self._pause(5)),
            "service paused": lambda: self._stopped("service", self._pause(3)),
            "database away for long": lambda: self._database(signal.SIGQUIT, dice.uniform(*LONG_S)),
            "database paused for long": lambda: self._stopped("database", dice.uniform(*LONG_S)),
            "broker away for long": lambda: self._broker(dice.uniform(*LONG_S)),
        }

    def once(self) -> str:
        """The next fault; its kind."""
        if not self._deck:
            self._deck = [kind for kind, times in self._kinds.items() for _ in range(times)]
            if self._long:
                self._deck.append(self._dice.choice(LONG))
            self._dice.shuffle(self._deck)
        kind = self._deck.pop()
        began_at = time.time()
        self._world.touched_at = time.monotonic()
        self._how[kind]()
        self._world.touched_at = time.monotonic()
        self.done.append(Fault(kind, began_at, time.time()))
        return kind

    def _pause(self, most_s: float) -> float:
        return self._dice.uniform(0, most_s)

    def _ingest(self) -> None:
        self._world.kill_ingest()
        self.deaths["ingest"] += 1
        time.sleep(self._pause(0.5))
        self._world.start_ingest()

    def _catching_up(self) -> None:
        """Dead long enough for a queue, then dead again while it takes it in."""
        world = self._world
        world.kill_ingest()
        time.sleep(1 + self._pause(3))
        world.start_ingest()
        ingest, deadline = world.ingest, time.monotonic() + 20
        assert ingest is not None
        while time.monotonic() < deadline:
            try:
                if ingest.metrics().get('stackwatt_broker_received_total{site="mill"}', 0) > 0:
                    break
            except OSError:
                pass
            time.sleep(0.01)
        time.sleep(self._pause(0.2))
        world.kill_ingest()
        self.deaths["ingest"] += 2
        world.start_ingest()

    def _both(self) -> None:
        world = self._world
        world.kill_database(self._dice.choice((signal.SIGQUIT, signal.SIGKILL)))
        time.sleep(self._pause(0.5))
        world.kill_ingest()
        self.deaths["ingest"] += 1
        self.deaths["database"] += 1
        world.start_ingest()
        time.sleep(self._pause(1))
        world.start_database()

    def _database(self, number: signal.Signals, away_s: float | None = None) -> None:
        self._world.kill_database(number)
        self.deaths["database"] += 1
        time.sleep(self._pause(1.5) if away_s is None else away_s)
        self._world.start_database()

    def _service(self) -> None:
        self._world.kill_service()
        self.deaths["service"] += 1
        time.sleep(self._pause(0.5))
        self._world.start_service()

    def _broker(self, away_s: float, *, kill: bool = False) -> None:
        self._world.stop_broker(kill=kill)
        self.deaths["broker"] += kill
        time.sleep(away_s)
        self._world.start_broker()

    def _commit(self) -> None:
        proxy = self._world.links.database
        before = sum(proxy.cuts[cut] for cut in CUTS)
        self._world.links.cut_at_commit(self._dice.choice(CUTS))
        deadline = time.monotonic() + CUT_PATIENCE_S
        while sum(proxy.cuts[cut] for cut in CUTS) == before and time.monotonic() < deadline:
            time.sleep(0.01)

    def _held_up(self) -> None:
        self._world.links.hold_broker()
        time.sleep(1 + self._pause(4))
        self._world.links.release_broker()

    def _stopped(self, what: str, away_s: float) -> None:
        with self._world.stopped(what):
            time.sleep(away_s)
