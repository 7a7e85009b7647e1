"""The ingest process from its start to its end."""

import socket
from pathlib import Path

import pytest

from ingest.errors import InputError
from ingest.main import run
from ingest.settings import IngestSettings
from tests.ingest.feeding import PLANT
from tests.recovery.process import ingesting


async def test_a_port_that_is_taken_is_wrong_input(dsn: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"127.0.0.1:{port}"):
            await run(IngestSettings(dsn, http_port=port))


async def test_two_plant_files_of_one_site_are_wrong_input(dsn: str, tmp_path: Path) -> None:
    plants = (tmp_path / "one.yaml", tmp_path / "two.yaml")
    for plant in plants:
        plant.write_text(PLANT, encoding="utf-8")
    with pytest.raises(InputError, match=r"two\.yaml: site is 'mill'"):
        await run(IngestSettings(dsn, plants=plants, http_port=None))


def test_told_to_stop_while_the_kernels_are_compiled(
    dsn: str, free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    plant = tmp_path / "mill.yaml"
    plant.write_text(PLANT, encoding="utf-8")
    log = tmp_path / "ingest.log"
    with ingesting(dsn=dsn, mqtt_url="mqtt://127.0.0.1:1", plant=plant, port=free_port, log=log) as ingest:
        ingest.start()
        assert "kernels" in ingest.until_missing("kernels")
        ingest.terminate()
        assert ingest.ended(10) == 0, ingest.said


async def test_a_database_without_a_site_is_wrong_input(empty_dsn: str) -> None:
    with pytest.raises(InputError, match="knows no site"):
        await run(IngestSettings(empty_dsn, http_port=None))
