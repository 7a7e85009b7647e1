"""Kill what delivers events, at random, while events happen; then prove that each has arrived, in order.

    ./run chaos webhooks [--events N] [--kills K] [--seed S] [--dsn DSN] [--json]

Two notifiers, the service and a receiver as processes over a real PostgreSQL. They are killed
with -9 and started again, sessions with the database are cut, notifiers are paused; meanwhile
the receiver refuses, dawdles and hangs up, and the service is asked for tests until it has said
that it took each. Exit 1 if an event has not arrived at both webhooks under its id, if a later one of
an episode was kept before an earlier, if a signature was bad, or if anything is dead or unknown.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[2])  # this folder's names are not to be found as modules

import psycopg  # noqa: E402

from deploy.account import open_state, unprivileged_account  # noqa: E402
from deploy.http_api import HttpApi  # noqa: E402
from deploy.postgres import PostgresServer  # noqa: E402
from deploy.probe import is_ready  # noqa: E402
from deploy.process import ROOT, spawn  # noqa: E402
from ingest.errors import StackwattError  # noqa: E402
from ingest.store.migrations import migrate  # noqa: E402
from tests.benchmarks.bed import free_port  # noqa: E402
from tests.service.webhooks.receiving import SECRET, alert, apply_plant, tell, webhook  # noqa: E402

KEY = "key-of-the-chaos"
WEBHOOKS = ("native", "cloudevents")
PER_EPISODE = 10
"""Events of an episode, on average."""
DRAIN_S = 120.0
START_S = 60.0
ASK_S = 0.4
PAUSE_S = 0.3
PARTS = {"notifier 1": 3, "notifier 2": 3, "receiver": 3, "service": 1}
"""What is killed, and how often beside the others."""


class World:
    """The processes, one life after the other; to be used by the main thread."""

    def __init__(self, dsn: str, folder: Path, seed: int) -> None:
        self.dsn = dsn
        self.kept = folder / "received.jsonl"
        self.port, self.receiver_port = free_port(), free_port()
        self._folder = folder
        self._seed = seed
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.lives = Counter[str]()

    def start(self, name: str) -> None:
        """Begin a life of a part."""
        self.lives[name] += 1
        notifier = ["-m", "tests.chaos.webhook_parts", "notifier"]
        seed = str(self._seed + self.lives[name])
        arguments = {
            "receiver": [*notifier[:2], "receiver", str(self.receiver_port), str(self.kept), seed],
            "service": ["-m", "deploy", "serve", "--port", str(self.port)],
        }.get(name, notifier)
        self._processes[name] = spawn(
            [sys.executable, "-P", *arguments],
            log=self._folder / f"{name}.log",
            environment={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "STACKWATT_DSN": self.dsn,
                "STACKWATT_ADMIN_KEY": KEY,
                "HOOK_SECRET": SECRET,
            },
        )

    def kill(self, name: str) -> None:
        """End it as nothing can prevent."""
        self._processes[name].kill()
        self._processes[name].wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send it a signal."""
        self._processes[name].send_signal(number)

    def await_service(self) -> None:
        """Wait until it answers for the first time."""
        deadline = time.monotonic() + START_S
        while not is_ready("127.0.0.1", self.port):
            assert time.monotonic() < deadline, self.said("service")
            time.sleep(0.1)

    def deaths(self) -> list[str]:
        """Parts that have ended by themselves."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def said(self, name: str) -> str:
        """The end of what it has written."""
        return (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-2000:]

    def stop(self) -> dict[str, int]:
        """SIGTERM for those that know it; exit codes."""
        for process in self._processes.values():
            process.terminate()
        codes = {}
        for name, process in self._processes.items():
            try:
                codes[name] = process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = process.wait()
        return codes


class Asker(threading.Thread):
    """Asks the service for a test again and again, each until it has been taken."""

    def __init__(self, port: int) -> None:
        super().__init__(name="asker", daemon=True)
        self._api = HttpApi(f"http://127.0.0.1:{port}", KEY)
        self._over = threading.Event()
        self.taken: list[tuple[str, int]] = []
        """(webhook, sequence) of each test."""

    def run(self) -> None:
        number = 0
        while not self._over.wait(ASK_S):
            name, key = WEBHOOKS[number % len(WEBHOOKS)], f"test-{number}"
            while True:
                try:
                    answer = self._api.send(f"/v1/webhooks/mill/{name}/test", b"{}", "application/json", key)
                except StackwattError:
                    if self._over.wait(0.1):
                        return
                else:
                    self.taken.append((name, answer["sequence"]))
                    break
            number += 1

    def stop(self) -> None:
        """After the test it is asking for; that one may or may not have been taken."""
        self._over.set()
        self.join(30)


def run(dsn: str, folder: Path, *, events: int, kills: int, seed: int, progress: bool) -> dict[str, Any]:
    """Tell, torment, drain, judge."""
    dice = random.Random(f"kills {seed}")
    world = World(dsn, folder, seed)
    url = f"http://127.0.0.1:{world.receiver_port}"
    site = apply_plant(dsn, [webhook(f"{url}/{name}", id=name, body=name) for name in WEBHOOKS])
    begun = time.monotonic()
    failures: list[str] = []
    try:
        for name in PARTS:
            world.start(name)
        world.await_service()
        asker = Asker(world.port)
        asker.start()
        deaths, others = torment(world, site, dice, events=events, kills=kills, progress=progress)
        asker.stop()
        failures += [f"{name} has ended by itself: {world.said(name)}" for name in world.deaths()]
        drained_s = drain(dsn)
        if drained_s is None:
            failures.append(f"not drained within {DRAIN_S:g} s: {world.said('notifier 1')}")
        failures += [
            f"{name}, told to stop, ended with {code}"
            for name, code in world.stop().items()
            if name != "receiver" and code
        ]
    finally:
        world.stop()
    report = {
        "events": events,
        "kills": dict(deaths),
        "kills_total": sum(deaths.values()),
        "faults": dict(others),
    }
    report |= judged(dsn, world.kept, asker.taken, failures)
    return report | {
        "drained_after_s": drained_s, "took_s": round(time.monotonic() - begun, 1), "seed": seed, "failures": failures,
    }  # fmt: skip


def torment(
    world: World, site: int, dice: random.Random, *, events: int, kills: int, progress: bool
) -> tuple[Counter[str], Counter[str]]:
    """Tell all events, and kill so often meanwhile; (kills by part, other faults)."""
    deaths, others = Counter[str](), Counter[str]()
    episodes = max(1, events // PER_EPISODE)
    told = 0
    with psycopg.connect(world.dsn) as connection:
        for turn in range(kills + 1):
            until = events * (turn + 1) // (kills + 1)
            while told < until:
                for _ in range(min(dice.randint(1, 5), until - told)):
                    stream = f"ep_{dice.randrange(episodes)}"
                    tell(connection, site, f"evt_{told:05d}", stream=stream, data=alert(told))
                    told += 1
                connection.commit()
                time.sleep(dice.uniform(0, 0.02))
            if turn == kills:
                break
            time.sleep(dice.uniform(0.0, 0.4))
            others[_trouble(world, dice)] += 1
            name = dice.choices(list(PARTS), list(PARTS.values()))[0]
            world.kill(name)
            deaths[name] += 1
            time.sleep(dice.uniform(0.0, 0.2))
            world.start(name)
            if progress:
                print(f"{told} events told, {name} killed", file=sys.stderr, flush=True)
    return deaths, others


def _trouble(world: World, dice: random.Random) -> str:
    """Something short of a kill, now and then."""
    what = dice.choice(["none", "none", "session cut", "paused"])
    match what:
        case "session cut":
            with psycopg.connect(world.dsn, autocommit=True) as connection:
                connection.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE application_name = 'stackwatt notifier' AND datname = current_database()
                     ORDER BY random() LIMIT 2
                    """
                )
        case "paused":
            name = dice.choice(["notifier 1", "notifier 2"])
            world.signal(name, signal.SIGSTOP)
            time.sleep(PAUSE_S)
            world.signal(name, signal.SIGCONT)
    return what


def drain(dsn: str) -> float | None:
    """Wait until nothing waits any more; seconds it took, None if in vain."""
    begun = time.monotonic()
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.monotonic() - begun < DRAIN_S:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM event_waiting), (SELECT count(*) FROM delivery WHERE state = 'waiting')"
            ).fetchone()
            if row == (0, 0):
                return round(time.monotonic() - begun, 1)
            time.sleep(0.1)
    return None


def judged(dsn: str, kept: Path, asked: list[tuple[str, int]], failures: list[str]) -> dict[str, Any]:
    """What the receiver kept against what was told; what is wrong is added to `failures`."""
    lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    bad = [line["outcome"] for line in lines if line["outcome"].startswith("bad")]
    failures += [f"{len(bad)} signatures are bad: {bad[0]}"] if bad else []
    with psycopg.connect(dsn) as connection:
        streams: dict[str, str] = dict(
            connection.execute("SELECT id, stream FROM event ORDER BY event_no").fetchall()
        )
        tests = connection.execute(
            "SELECT w.id, d.sequence, d.event_id FROM delivery d JOIN webhook w USING (webhook_no)"
            " WHERE type = 'webhook.test'"
        ).fetchall()
        states: dict[str, int] = dict(
            connection.execute("SELECT state, count(*) FROM delivery GROUP BY state").fetchall()
        )
        (attempts,) = connection.execute("SELECT count(*) FROM delivery_attempt").fetchone() or (0,)
    copies = 0
    for name in WEBHOOKS:
        mine = [line for line in lines if line["path"] == f"/{name}" and line["outcome"] == "kept"]
        wanted = [*streams, *(event_id for webhook_id, _, event_id in tests if webhook_id == name)]
        firsts = list(dict.fromkeys(line["id"] for line in mine))
        copies += len(mine) - len(firsts)
        failures += [f"{name}: {event_id} is lost" for event_id in wanted if event_id not in set(firsts)]
        failures += [f"{name}: {event_id} is of nobody" for event_id in firsts if event_id not in set(wanted)]
        failures += [f"{name}: {event_id} came too early" for event_id in early(firsts, streams)]
        numbers = {(line["id"], line["sequence"]) for line in mine}
        if len(numbers) != len(firsts):
            failures.append(f"{name}: an event has come under two sequences")
    known = {(name, sequence) for name, sequence, _ in tests}
    failures += [
        f"test {sequence} of {name} was taken and is not there" for name, sequence in set(asked) - known
    ]
    if set(states) != {"delivered"}:
        failures.append(f"deliveries are {states}")
    return {
        "deliveries": sum(states.values()), "tests": len(tests), "attempts_noted": attempts, "received": len(lines),
        "kept_again": copies, "refused": sum(line["outcome"] == "refused" for line in lines),
    }  # fmt: skip


def early(firsts: list[str], streams: dict[str, str]) -> Iterator[str]:
    """Events kept before an earlier one of their stream; `streams` is in the order in which they were told."""
    place = {event_id: number for number, event_id in enumerate(streams)}
    newest: dict[str, int] = {}
    for event_id in firsts:
        stream = streams.get(event_id)
        if stream is None:
            continue
        if place[event_id] < newest.get(stream, -1):
            yield event_id
        newest[stream] = max(newest.get(stream, -1), place[event_id])


@contextmanager
def database(given: str | None, folder: Path) -> Iterator[str]:
    """A migrated database: the one given, which has to be empty, or one of a server of its own."""
    if given is not None:
        asyncio.run(migrate(given))
        yield given
        return
    account = unprivileged_account()
    open_state(folder, account)
    server = PostgresServer(folder, account, log=folder / "postgres.log")
    server.start()
    try:
        asyncio.run(migrate(server.dsn()))
        yield server.dsn()
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run chaos webhooks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1000, help="how many are told")
    parser.add_argument("--kills", type=int, default=50, help="how many processes are killed")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--dsn", help="an empty database [default: of a server of its own]")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stackwatt-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with database(options.dsn, folder) as dsn:
            report = run(
                dsn,
                folder,
                events=options.events,
                kills=options.kills,
                seed=options.seed,
                progress=not options.json,
            )
    print(
        json.dumps(report)
        if options.json
        else "\n".join(f"  {key:16} {value}" for key, value in report.items())
    )
    sys.exit(1 if report["failures"] else 0)


if __name__ == "__main__":
    main()
