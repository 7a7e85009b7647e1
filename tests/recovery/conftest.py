"""What recovery tests need besides a database and a broker."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import Broker
from deploy.postgres import PostgresServer
from tests.recovery.process import IngestProcess, ingesting
from tests.recovery.stream import PLANT


def another_port(*taken: int) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


@pytest.fixture
def http_port(free_port: int) -> int:
    """A port for ingest's health and metrics; `free_port` is the broker's."""
    return another_port(free_port)


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """The plant file of `tests.recovery.stream`."""
    path = tmp_path / "mill.yaml"
    path.write_text(PLANT, encoding="utf-8")
    return path


@pytest.fixture
def ingest(
    database_server: PostgresServer, mosquitto: Broker, plant: Path, http_port: int, tmp_path: Path
) -> Iterator[IngestProcess]:
    """An ingest process on a database and a broker that a test may stop; not started yet."""
    with ingesting(
        dsn=database_server.dsn(),
        mqtt_url=mosquitto.url,
        plant=plant,
        port=http_port,
        log=tmp_path / "ingest.log",
    ) as process:
        yield process


@pytest.fixture
def other_ingest(
    database_server: PostgresServer,
    mosquitto: Broker,
    plant: Path,
    free_port: int,
    http_port: int,
    tmp_path: Path,
) -> Iterator[IngestProcess]:
    """A second one for the same site."""
    with ingesting(
        dsn=database_server.dsn(),
        mqtt_url=mosquitto.url,
        plant=plant,
        port=another_port(free_port, http_port),
        log=tmp_path / "other.log",
    ) as process:
        yield process
