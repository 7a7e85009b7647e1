"""What ingest waits for, and says so: the database, the broker, the site; and what it does not wait for."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.broker import Broker
from deploy.postgres import PostgresServer
from tests.recovery.process import ROOT, IngestProcess, environment
from tests.recovery.running import count, publish
from tests.recovery.stream import BEGIN, Stream

SECOND = 1_000_000


def power(number: int) -> tuple[str, bytes]:
    message = Stream().single("line/power", BEGIN + number * SECOND, float(number))
    return message.topic, message.payload


@pytest.mark.broker
async def test_database_and_broker_away_are_waited_for_and_named(
    ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    database_server.stop()
    mosquitto.stop()
    ingest.start()
    assert "connection" in ingest.until_missing("database", "kernels")["database"]
    database_server.start()
    assert ingest.until_missing("broker")["broker"]
    mosquitto.start()
    ingest.until_caught_up()
    database_server.kill()
    ingest.until_missing("database")
    await publish(mosquitto, [power(1)])
    database_server.start()
    ingest.until_ready()
    ingest.until(lambda: count(database_server.dsn(), "reading") == 1, "the reading to be stored")
    mosquitto.stop()
    ingest.until_missing("broker")
    mosquitto.start()
    ingest.until_caught_up()
    await publish(mosquitto, [power(2)])
    ingest.until(lambda: count(database_server.dsn(), "reading") == 2, "the second reading to be stored")
    assert ingest.metric("stackwatt_broker_reconnects_total") == 1
    assert "Traceback" not in ingest.said


@pytest.mark.broker
async def test_told_to_stop_while_the_database_is_away_it_ends_and_leaves_the_rest_to_the_broker(
    ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    ingest.start()
    ingest.until_caught_up()
    database_server.kill()
    await publish(mosquitto, [power(1)])
    ingest.until_missing("database")
    ingest.terminate()
    assert ingest.ended(15) == 0
    assert "Traceback" not in ingest.said
    database_server.start()
    ingest.start()
    ingest.until(lambda: count(database_server.dsn(), "reading") == 1, "the reading to be stored")
    assert ingest.metric("stackwatt_broker_redelivered_total") == 1


@pytest.mark.broker
async def test_second_ingest_waits_naming_the_holder_and_takes_over(
    ingest: IngestProcess, other_ingest: IngestProcess, database_server: PostgresServer, mosquitto: Broker
) -> None:
    ingest.start()
    ingest.until_caught_up()
    assert ingest.process is not None
    holder = f"site mill is being written by ingest, process {ingest.process.pid} on "
    other_ingest.start("--no-wait")
    assert other_ingest.ended(30) == 2
    assert holder in other_ingest.said
    other_ingest.start()
    assert other_ingest.until_missing("site")["site"].startswith(holder)
    await publish(mosquitto, [power(1)])
    ingest.until(lambda: count(database_server.dsn(), "reading") == 1, "the reading to be stored")
    ingest.kill()
    await publish(mosquitto, [power(2)])
    other_ingest.until_caught_up()
    other_ingest.until(lambda: count(database_server.dsn(), "reading") == 2, "the second to be stored")
    other_ingest.terminate()
    assert other_ingest.ended(15) == 0
    assert "Traceback" not in other_ingest.said


def refused(*arguments: str, dsn: str) -> str:
    """What a command says that must end with exit 2 and one sentence."""
    result = subprocess.run(
        [sys.executable, "-P", "-m", "deploy", *arguments],
        cwd=ROOT,
        env=environment(STACKWATT_DSN=dsn),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


@pytest.mark.parametrize("command", ["ingest", "up", "plant check"])
def test_wrong_plant_file_is_one_sentence_and_exit_2(command: str, plant: Path, tmp_path: Path) -> None:
    arguments = {
        "ingest": ["ingest", "--http-port", "0", "--plant"],
        "up": ["up", "--state", str(tmp_path / "state"), "--plant"],
        "plant check": ["plant", "check"],
    }[command]
    away = f"host={tmp_path} dbname=x"
    plant.write_text(plant.read_text().replace("unit: kWh, carrier", "unit: kWm, carrier"))
    said = refused(*arguments, str(plant), dsn=away)
    assert said.startswith("mill.yaml: points[0].unit")
    assert "'kWm'" in said
    assert not (tmp_path / "state").exists()


def test_missing_plant_file_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.yaml")
    assert missing in refused("ingest", "--http-port", "0", "--plant", missing, dsn=f"host={tmp_path}")


def test_wrong_address_is_one_sentence_and_exit_2(plant: Path, tmp_path: Path, dsn: str) -> None:
    arguments = ["ingest", "--http-port", "0", "--plant", str(plant)]
    said = refused(*arguments, dsn="postgresql://secret@[::1/x")
    assert "connection string" in said
    assert "secret" not in said
    assert "broker URL" in refused(*arguments, "--mqtt-url", "http://x", dsn=f"host={tmp_path}")
