"""The database's disk is full: nothing is acknowledged, `/readyz` says so, and it goes on when there is room."""

import asyncio
import contextlib
import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.account import open_state, unprivileged_account
from deploy.broker import Broker
from deploy.postgres import PostgresServer
from tests.recovery.process import ingesting
from tests.recovery.running import count, publish
from tests.recovery.stream import stream

pytestmark = pytest.mark.broker

DISK_MB = 160
"""A cluster of ours takes some 60 MB."""


@contextmanager
def small_disk() -> Iterator[Path]:
    """A folder on a file system of its own, in memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.TemporaryDirectory(prefix="stackwatt-disk-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        options = f"size={DISK_MB}m,mode=711".encode()
        if not sys.platform.startswith("linux") or libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, options):
            pytest.skip("needs the right to mount a tmpfs: root on Linux")
        try:
            yield folder
        finally:
            assert libc.umount2(bytes(folder), 2) == 0, os.strerror(ctypes.get_errno())


@pytest.fixture
def cramped() -> Iterator[PostgresServer]:
    """A database server on a small disk; its folder is `server.folder`."""
    with small_disk() as home:
        account = unprivileged_account()
        open_state(home, account)
        server = PostgresServer(home, account, durable=False)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def fill(server: PostgresServer) -> Path:
    """Leave no room at all; the server takes and gives back some of it meanwhile."""
    ballast = server.folder.parent / "ballast"
    with ballast.open("wb") as file:
        for _ in range(100):
            free = shutil.disk_usage(ballast.parent).free
            if not free:
                return ballast
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, free)
    raise AssertionError("the disk does not get full")


@pytest.mark.parametrize("killed", [False, True])
async def test_disk_full_is_waited_for_and_nothing_is_lost(
    cramped: PostgresServer, mosquitto: Broker, plant: Path, http_port: int, tmp_path: Path, killed: bool
) -> None:
    flow = [(message.topic, message.payload) for message in stream(minutes=120)]
    expected = sum(len(message.rows) for message in stream(minutes=120))
    few, dsn = 200, cramped.dsn()
    with ingesting(
        dsn=dsn, mqtt_url=mosquitto.url, plant=plant, port=http_port, log=tmp_path / "ingest.log"
    ) as ingest:
        ingest.start()
        ingest.until_caught_up()
        await publish(mosquitto, flow[:few])
        ingest.until(lambda: ingest.metric("stackwatt_messages_total") == few, "the first to be stored")
        ballast = fill(cramped)
        await publish(mosquitto, flow[few:])
        assert ingest.until_missing("database")["database"]
        taken = ingest.metric("stackwatt_messages_total")
        await asyncio.sleep(1)
        assert ingest.metric("stackwatt_messages_total") == taken < len(flow)
        assert "database" in (ingest.missing() or {})
        if killed:
            ingest.kill()
        ballast.unlink()
        if not cramped.answers():  # a write-ahead log without room ends PostgreSQL
            cramped.start()
        if killed:
            ingest.start()
        ingest.until(lambda: count(dsn, "reading") >= expected, "all to be stored")
        ingest.until_caught_up()
        if killed:  # nothing was acknowledged that was not stored: all of it comes again
            assert ingest.metric("stackwatt_broker_received_total") >= len(flow) - taken
        ingest.terminate()
        assert ingest.ended(15) == 0
        assert "Traceback" not in ingest.said
    assert count(dsn, "reading") == expected
    assert count(dsn, "rejected") == 0
