"""The embedded stack: PostgreSQL, broker, ingest, serve, notify.

`start` brings up what was not given from outside, in that order, each one
ready before the next that needs it, and says what is happening. It decides
ports and what a child is told: addresses, passwords and the key go through the
environment, never through the command line.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from deploy.broker import Broker
from deploy.database import reached
from deploy.ports import choose, has_address
from deploy.postgres import PostgresServer
from deploy.probe import is_ready
from deploy.process import ROOT, spawn
from deploy.state import Endpoints, State
from deploy.supervisor import Part, Supervisor
from ingest.errors import InputError
from ingest.plant.commands import check as check_plant
from ingest.settings import check_dsn
from ingest.store.migrations import migrate

_SERVER_TIMEOUT_S = 60.0
_READY_TIMEOUT_S = 600.0
"""Compiling the kernels for the first time takes a minute on a small machine."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asked of the stack; None means: as usual."""

    state: Path = Path(".state")
    plants: tuple[Path, ...] = ()
    bind: str = "127.0.0.1"
    http_port: int | None = None
    mqtt_port: int | None = None
    ingest_port: int | None = None
    pg_port: int | None = None
    mqtt_url: str | None = None
    """A broker of somebody else's."""
    dsn: str | None = None
    """A database of somebody else's."""
    admin_key: str | None = None

    def check(self) -> None:
        """Refuse what contradicts itself or is not there, before anything starts."""
        if self.dsn is not None and self.pg_port is not None:
            raise InputError(
                "--pg-port is for the embedded PostgreSQL and cannot be given together with --dsn"
            )
        if self.mqtt_url is not None and self.mqtt_port is not None:
            raise InputError("--mqtt-port is for our own broker and cannot be given with --broker external")
        if not has_address(self.bind):
            raise InputError(f"--bind {self.bind}: expected an address of this machine, such as 127.0.0.1")
        if self.dsn is not None:
            check_dsn(self.dsn)
        for plant in self.plants:
            check_plant(plant)


@dataclass(frozen=True, slots=True)
class _Ports:
    http: int
    ingest: int
    mqtt: int
    pg: int | None


def start(wishes: Wishes, state: State, supervisor: Supervisor, say: Callable[[str], None]) -> Endpoints:
    """Bring up everything and return where it is; the wishes have been checked."""
    ports = _choose_ports(wishes)
    dsn = wishes.dsn or _start_postgres(state, supervisor, ports.pg, say)
    for step in reached(migrate(dsn)):
        say(f"migrated: {step}")
    plants = wishes.plants or _plants_for_an_empty_database(dsn, say)
    mqtt_url = wishes.mqtt_url or _start_broker(wishes, state, supervisor, ports.mqtt, say)
    endpoints = Endpoints(
        bind=wishes.bind,
        http=ports.http,
        ingest=ports.ingest,
        mqtt=None if wishes.mqtt_url else ports.mqtt,
        pg=ports.pg,
        mqtt_url=mqtt_url,
        dsn=dsn,
        key=state.admin_key(wishes.admin_key),
    )
    state.write_endpoints(endpoints)
    supervisor.start(_ingest(plants, state, endpoints))
    supervisor.start(_serve(state, endpoints))
    supervisor.start(_notify(state, endpoints))
    say("waiting for ingest (the first start compiles the kernels) and serve")
    supervisor.wait(["ingest", "serve"], _READY_TIMEOUT_S)
    return endpoints


def our_part(
    state: State,
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    answers: Callable[[], bool],
    grace_s: float = 30.0,
    restart: bool = True,
) -> Part:
    """One of our own processes: `stackwatt ARGUMENTS` from this checkout."""
    log = state.logs / f"{name}.log"
    told = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment}
    command = [sys.executable, "-P", "-m", "deploy", *arguments]
    return Part(
        name=name,
        spawn=partial(spawn, command, log=log, environment=told),
        answers=answers,
        log=log,
        grace_s=grace_s,
        restart=restart,
    )


def shipped_plants() -> tuple[Path, ...]:
    """The plant files of the two simulated sites."""
    return tuple(sorted((ROOT / "simulator" / "plants").glob("*.yaml")))


def _plants_for_an_empty_database(dsn: str, say: Callable[[str], None]) -> tuple[Path, ...]:
    """None where the database knows a plant: ingest then takes all it knows."""
    if reached(_knows_a_plant(dsn)):
        return ()
    plants = shipped_plants()
    say(f"no --plant given and none applied yet: taking {' and '.join(plant.name for plant in plants)}")
    return plants


async def _knows_a_plant(dsn: str) -> bool:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        cursor = await connection.execute("SELECT FROM plan_version LIMIT 1")
        return await cursor.fetchone() is not None


def _choose_ports(wishes: Wishes) -> _Ports:
    taken: set[int] = set()
    options = {
        "--http-port": (wishes.http_port, 8080),
        "--mqtt-port": (wishes.mqtt_port, 1883),
        "--ingest-port": (wishes.ingest_port, 8081),
    }
    chosen: dict[str, int] = {}
    # What was asked for comes first, so that no default moves into its place.
    for option, (asked, default) in sorted(options.items(), key=lambda item: item[1][0] is None):
        chosen[option] = choose(option, asked, default, wishes.bind, taken)
    pg = None
    if wishes.pg_port is not None:
        pg = choose("--pg-port", wishes.pg_port, wishes.pg_port, "127.0.0.1", taken)
    return _Ports(chosen["--http-port"], chosen["--ingest-port"], chosen["--mqtt-port"], pg)


def _start_postgres(
    state: State, supervisor: Supervisor, port: int | None, say: Callable[[str], None]
) -> str:
    server = PostgresServer(state.data, state.account, log=state.logs / "postgres.log", port=port)
    where = "a Unix socket" if port is None else f"127.0.0.1:{port}"
    say(f"database: {server.version} in {server.folder}, on {where}")
    supervisor.start(
        Part(
            name="postgres",
            spawn=server.spawn,
            answers=server.answers,
            log=server.log,
            prepare=server.prepare,
            stop_signal=server.STOP_SIGNAL,
            grace_s=server.STOP_GRACE_S,
            released=server.remove_sockets,
        )
    )
    supervisor.wait(["postgres"], _SERVER_TIMEOUT_S)
    return server.dsn()


def _start_broker(
    wishes: Wishes, state: State, supervisor: Supervisor, port: int, say: Callable[[str], None]
) -> str:
    broker = Broker(state.data, state.account, port=port, bind=wishes.bind, log=state.logs / "broker.log")
    if broker.keeps_messages:
        say(f"broker: Mosquitto on {wishes.bind}:{port}, queues in {broker.folder}")
    else:
        say(f"broker: amqtt on {wishes.bind}:{port}, as there is no Mosquitto on PATH")
        say("this broker keeps nothing across a crash; Mosquitto does (Debian: apt install mosquitto)")
    supervisor.start(
        Part(
            name="broker",
            spawn=broker.spawn,
            answers=broker.answers,
            log=broker.log,
            prepare=broker.prepare,
            grace_s=broker.STOP_GRACE_S,
        )
    )
    supervisor.wait(["broker"], _SERVER_TIMEOUT_S)
    return broker.url


def _ingest(plant_files: Sequence[Path], state: State, endpoints: Endpoints) -> Part:
    plants = [word for plant in plant_files for word in ("--plant", str(plant.resolve()))]
    settings = {
        "STACKWATT_DSN": endpoints.dsn,
        "STACKWATT_MQTT_URL": endpoints.mqtt_url,
        "STACKWATT_EVIDENCE_KEY": str(state.evidence_key()),
    }
    return our_part(
        state,
        "ingest",
        ["ingest", *plants, "--http-host", endpoints.bind, "--http-port", str(endpoints.ingest)],
        settings,
        answers=partial(is_ready, endpoints.host, endpoints.ingest),
        grace_s=60.0,
    )


def _serve(state: State, endpoints: Endpoints) -> Part:
    return our_part(
        state,
        "serve",
        ["serve", "--host", endpoints.bind, "--port", str(endpoints.http)],
        {"STACKWATT_DSN": endpoints.dsn, "STACKWATT_ADMIN_KEY": endpoints.key},
        answers=partial(is_ready, endpoints.host, endpoints.http),
    )


def _notify(state: State, endpoints: Endpoints) -> Part:
    """It listens on no port, so nobody waits for it; whether it runs is told by the service's metrics."""
    return our_part(
        state,
        "notify",
        ["notify"],
        {
            "STACKWATT_DSN": endpoints.dsn,
            "STACKWATT_PUBLIC_URL": os.environ.get("STACKWATT_PUBLIC_URL", endpoints.page),
        },
        answers=lambda: True,
    )
