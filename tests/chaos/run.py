"""Kill and cut everything at random while numbered readings flow, then prove that nothing came of it.

    ./run chaos [--minutes M] [--seed S] [--rate R] [--gap G] [--json] [--kill-broker]

Real Mosquitto, real PostgreSQL, ingest and service as processes. Exit 1 if a reading is lost or
doubled, if a figure is not what one clean fold of the readings makes it, or if `/readyz` or a metric
said what was not true. With `--kill-broker` it is the broker that is killed with -9 most of the time;
what it had acknowledged and not saved is then counted, and only blamed on it if that took longer than it may.
"""

import argparse
import json
import math
import random
import signal
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[2])  # this folder's names are not to be found as modules

from deploy.broker import LOST_AT_MOST_S, find_mosquitto  # noqa: E402
from deploy.probe import Answer, get  # noqa: E402
from deploy.process import end  # noqa: E402
from tests.benchmarks.bed import opened  # noqa: E402
from tests.chaos import verdict  # noqa: E402
from tests.chaos.faults import Torment  # noqa: E402
from tests.chaos.publisher import Publisher  # noqa: E402
from tests.chaos.traffic import Traffic  # noqa: E402
from tests.chaos.watch import Watch  # noqa: E402
from tests.chaos.world import Links, World  # noqa: E402

LONG_MINUTES = 1.5
"""Runs at least so long have outages of more than 10 s in them."""
FIRST_START_S = 300.0
"""Kernels may have to be compiled first."""
DRAIN_S = 180.0
STOP_S = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0, help="how long readings are published")
    parser.add_argument("--seed", type=int, default=1, help="of readings and faults")
    parser.add_argument("--rate", type=float, default=2000.0, help="readings a second")
    parser.add_argument("--gap", type=float, default=4.0, help="at most so many seconds between faults")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--kill-broker", action="store_true", help="kill the broker with -9 as well")
    options = parser.parse_args()
    if find_mosquitto() is None:
        sys.exit("./run chaos needs Mosquitto on PATH (Debian: apt install mosquitto).")
    with opened() as bed:
        links = Links(bed.postgres.dsn(), bed.broker.port)
        world = World(bed, links)
        try:
            report = run(world, options)
        finally:
            world.close()
            links.close()
    print(json.dumps(report) if options.json else shown(report))
    sys.exit(1 if report["failures"] else 0)


def run(world: World, options: argparse.Namespace) -> dict[str, Any]:
    """Publish, torment, drain, judge."""
    dice = random.Random(f"faults {options.seed}")
    long = options.minutes >= LONG_MINUTES
    traffic = Traffic(options.seed)
    torment = Torment(world, dice, long=long, broker_dies=options.kill_broker)
    failures: list[str] = []
    world.start_ingest()
    world.start_service()
    for part in (world.ingest, world.service):
        assert part is not None
        part.await_ready(FIRST_START_S)
    if options.kill_broker:
        await_saved(world)
    with Watch(world) as watch:
        begun = time.monotonic()
        with Publisher(traffic, "127.0.0.1", world.bed.broker.port, options.rate) as publisher:
            while (left_s := begun + options.minutes * 60 - time.monotonic()) > 0:
                time.sleep(min(left_s, dice.uniform(options.gap / 10, options.gap)))
                if time.monotonic() < begun + options.minutes * 60:
                    kind = torment.once()
                    say(options, f"{time.monotonic() - begun:6.1f} s  {kind}; {publisher.readings} published")
            if not publisher.finish(60):
                failures.append("the broker has not acknowledged everything within 60 s")
        world.kill_ingest()
        before = verdict.epoch(world.dsn)
        world.start_ingest()
        drained_s = drain(world, len(traffic.known), traffic.until, strict=not options.kill_broker)
        if drained_s is None:
            failures.append(f"not drained within {DRAIN_S:g} s: {answers(world)}")
        failures += last_words(world, before)
    stopped_s = stop(world, failures)
    return judged(world, traffic, publisher, torment, watch, options, failures) | {
        "drained_after_s": drained_s,
        "stopped_after_s": stopped_s,
        "minutes": options.minutes,
        "seed": options.seed,
        "kill_broker": options.kill_broker,
    }


def await_saved(world: World) -> None:
    """Wait until the broker has saved ingest's session: without one it acknowledges what goes to nobody."""
    saved, begun_at, deadline = (
        world.bed.broker.folder / "mosquitto.db",
        time.time(),
        time.monotonic() + DRAIN_S,
    )
    while not saved.exists() or saved.stat().st_mtime < begun_at:
        if time.monotonic() > deadline:
            sys.exit(f"the broker has saved nothing within {DRAIN_S:g} s")
        time.sleep(0.1)


def drain(world: World, readings: int, until: int, *, strict: bool) -> float | None:
    """Wait until everything is stored and closed and both parts are ready; seconds it took, None if in vain."""
    begun = time.monotonic()
    while time.monotonic() - begun < DRAIN_S:
        stored = not strict or verdict.committed(world.dsn)[0] >= readings
        if stored and verdict.is_closed(world.dsn, until) and all(situation(world).values()):
            return round(time.monotonic() - begun, 1)
        time.sleep(0.25)
    return None


def situation(world: World) -> dict[str, bool]:
    """Whether the parts say that they are ready, and ingest that nothing waits at the broker."""
    ingest, service = answers(world)
    return {
        "ingest ready": ingest is not None and ingest.body["ready"],
        "caught up": ingest is not None and all(s["caught_up"] for s in ingest.body["sites"].values()),
        "service ready": service is not None and service.status == HTTPStatus.OK,
    }


def answers(world: World) -> tuple[Answer | None, Answer | None]:
    """Of `/readyz` of ingest and service."""
    assert world.ingest is not None
    assert world.service is not None
    ingest, service = (get("127.0.0.1", part.port, "/readyz") for part in (world.ingest, world.service))
    return ingest, service


def last_words(world: World, before: int) -> list[str]:
    """What the metrics of the last life say, now that nothing happens any more, and is not so."""
    deadline = time.monotonic() + STOP_S
    while (wrong := _wrong_metrics(world, before)) and time.monotonic() < deadline:
        time.sleep(0.5)  # a live window may be told between two looks
    return wrong


def _wrong_metrics(world: World, before: int) -> list[str]:
    assert world.ingest is not None
    readings, batch_no = verdict.committed(world.dsn, before)
    said = world.ingest.metrics()
    expected = {"batch_no": batch_no, "readings_total": readings, "broker_connected": 1, "broker_waiting": 0}
    return [
        f"stackwatt_{name} is {told:.0f}; {wanted} was expected"
        for name, wanted in expected.items()
        if (told := said.get(f'stackwatt_{name}{{site="mill"}}', math.nan)) != wanted
    ]


def stop(world: World, failures: list[str]) -> float:
    """SIGTERM for ingest and service; seconds ingest took."""
    assert world.ingest is not None
    assert world.service is not None
    begun = time.monotonic()
    code = end(world.ingest.process, signal.SIGTERM, STOP_S)
    stopped_s = round(time.monotonic() - begun, 1)
    for name, found in (("ingest", code), ("service", end(world.service.process, signal.SIGTERM, STOP_S))):
        if found != 0:
            failures.append(f"{name}, told to stop, ended with {found}")
    return stopped_s


def judged(
    world: World,
    traffic: Traffic,
    publisher: Publisher,
    torment: Torment,
    watch: Watch,
    options: argparse.Namespace,
    failures: list[str],
) -> dict[str, Any]:
    """The report; what is wrong is added to `failures`."""
    found = verdict.readings(world.dsn, traffic.known)
    compared = verdict.figures(world.dsn, traffic.until)
    for line in compared.evidence:
        print(line, file=sys.stderr)
    replayed = verdict.replayed(world.dsn, traffic.until)
    recoveries = verdict.recoveries(world.dsn, torment.done)
    kinds = sorted({fault.kind for fault in torment.done})
    failures += watch.lies
    wrong = {"doubled": found.doubled, "stored and never published": found.foreign}
    if not options.kill_broker:
        wrong["lost"] = len(found.lost)
    failures += [f"{count} readings {name}" for name, count in wrong.items() if count]
    failures += [f"{count} rows of {table} differ" for table, count in compared.differing.items()]
    if not replayed["equal"]:
        failures.append(f"a replay differs: {replayed}")
    broker_lost = loss(found.lost, publisher, torment) if options.kill_broker else None
    if broker_lost is not None and broker_lost["longest_s"] > LOST_AT_MOST_S:
        failures.append(
            f"the broker lost what it had acknowledged {broker_lost['longest_s']} s before it was killed"
        )
    undisturbed = [one for one in recoveries if not one.faults_meanwhile]
    return {
        "published": len(traffic.known),
        "stored": found.stored,
        "lost": len(found.lost),
        "doubled": found.doubled,
        "messages": publisher.messages,
        "faults": {kind: sum(fault.kind == kind for fault in torment.done) for kind in kinds},
        "kills": dict(torment.deaths),
        "kills_total": sum(torment.deaths.values()),
        "largest_ingest_mb": round(watch.largest_ingest_bytes / 1e6, 1),
        "longest_recovery": longest(undisturbed),
        "longest_recovery_with_further_faults": longest(recoveries),
        "checks": watch.checks,
        "checks_in_outages": watch.outages_seen,
        "figures_compared": compared.rows,
        "replay_equal": replayed["equal"],
        "loss": broker_lost,
        "failures": failures,
    }


def longest(recoveries: list[verdict.Recovery]) -> dict[str, Any]:
    """The longest of some recoveries; empty without any."""
    if not recoveries:
        return {}
    found = max(recoveries, key=lambda one: one.since_fault_s)
    return {
        "of": found.kind,
        "since_fault_s": round(found.since_fault_s, 1),
        "since_given_back_s": round(found.since_given_back_s, 1),
    }


def loss(lost: Any, publisher: Publisher, torment: Torment) -> dict[str, float]:
    """What the broker had acknowledged and lost: the longest stretch before a kill, in s.

    What arrives of it while it is dead it had said before.
    """
    kills = [fault for fault in torment.done if fault.kind == "broker killed"]
    longest = 0.0
    for number in {int(row["seq"]) for row in lost}:
        at = publisher.acknowledged_at.get(number)
        after = [kill.began_at for kill in kills if at is not None and kill.given_back_at >= at]
        if at is not None and after:
            longest = max(longest, min(after) - at)
    return {
        "readings": len(lost),
        "broker_kills": len(kills),
        "longest_s": round(longest, 2),
        "bound_s": LOST_AT_MOST_S,
    }


def say(options: argparse.Namespace, line: str) -> None:
    """Progress, where nobody wants JSON."""
    if not options.json:
        print(line, file=sys.stderr, flush=True)


def shown(report: dict[str, Any]) -> str:
    """As a table."""
    width = max(map(len, report))
    lines = []
    for name, value in report.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {count}" for key, count in value.items())  # noqa: PLW2901
        elif isinstance(value, list):
            value = "; ".join(map(str, value)) or "none"  # noqa: PLW2901
        lines.append(f"  {name.replace('_', ' '):{width}}  {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
