"""Secrets: from files, and in no log."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.secret_files import read_secrets
from ingest.errors import InputError
from tests.deploy.test_cli import ROOT, STEEL

SECRET = "correct-horse-9274-battery"


def file_of(folder: Path, text: str) -> str:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_is_read_as_the_secret_it_holds(tmp_path: Path) -> None:
    environment = {"STACKWATT_ADMIN_KEY_FILE": file_of(tmp_path, f"{SECRET}\n")}
    read_secrets(environment)
    assert environment == {"STACKWATT_ADMIN_KEY": SECRET}


def test_passwords_go_into_their_addresses(tmp_path: Path) -> None:
    odd = "p@ss:/w'ord\\ %"
    environment = {
        "STACKWATT_DSN": "postgresql://stackwatt@db.example:5433/plant",
        "STACKWATT_DB_PASSWORD_FILE": file_of(tmp_path, odd),
        "STACKWATT_MQTT_URL": "mqtts://ingest@broker.example:8883",
        "STACKWATT_MQTT_PASSWORD": odd,
    }
    read_secrets(environment)
    assert environment.keys() == {"STACKWATT_DSN", "STACKWATT_MQTT_URL"}
    told = conninfo_to_dict(environment["STACKWATT_DSN"])
    assert (told["host"], told["port"], told["password"]) == ("db.example", "5433", odd)
    assert (
        environment["STACKWATT_MQTT_URL"] == "mqtts://ingest:p%40ss%3A%2Fw%27ord%5C%20%25@broker.example:8883"
    )


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"STACKWATT_DSN_FILE": "/no/such"}, "STACKWATT_DSN_FILE is '/no/such': No such file"),
        ({"STACKWATT_DSN_FILE": "/dev/null"}, "expected a file with the secret as text"),
        ({"STACKWATT_KEY_FILE": "/dev/null", "STACKWATT_KEY": SECRET}, "are both given"),
        ({"STACKWATT_DB_PASSWORD": SECRET}, "given without STACKWATT_DSN"),
        ({"STACKWATT_MQTT_PASSWORD": SECRET, "STACKWATT_MQTT_URL": "mqtt://broker"}, "with a user"),
        (
            {"STACKWATT_MQTT_PASSWORD": SECRET, "STACKWATT_MQTT_URL": "mqtt://u:p@broker"},
            "without a password",
        ),
        ({"STACKWATT_DB_PASSWORD": SECRET, "STACKWATT_DSN": "nonsense"}, "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence_without_the_secret(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as refused:
        read_secrets(dict(environment))
    assert SECRET not in str(refused.value)


def test_the_whole_stack_says_that_it_speaks_no_tls(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "STACKWATT_TLS_CERT": "x.pem"}
    command = [sys.executable, "-P", "-m", "deploy", "up", "--state", str(tmp_path / "state")]
    told = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 2
    assert told.stderr.startswith("STACKWATT_TLS_CERT is for `serve` alone")


def test_no_secret_comes_into_any_log(dsn: str, free_port: int, tmp_path: Path) -> None:
    """Ingest and service run with secrets in every place one may be, against what refuses them and what does not."""
    given = dict(conninfo_to_dict(dsn))
    password = str(given.pop("password", None) or SECRET)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STACKWATT_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "PYTHONASYNCIODEBUG": "0",
        "STACKWATT_DSN": make_conninfo("", **{name: str(value) for name, value in given.items()}),
        "STACKWATT_DB_PASSWORD_FILE": file_of(tmp_path, password),
        "STACKWATT_ADMIN_KEY": SECRET,
        "STACKWATT_MQTT_URL": "mqtt://ingest@127.0.0.1:1",
        "STACKWATT_MQTT_PASSWORD": SECRET,
    }
    away = environment | {"STACKWATT_DSN": f"postgresql://u:{SECRET}@127.0.0.1:1/x"}
    del away["STACKWATT_DB_PASSWORD_FILE"]
    logs = [tmp_path / name for name in ("serve", "ingest", "serve away")]
    port = str(free_port)
    commands = [
        (["serve", "--port", port], environment),
        (["ingest", "--plant", str(STEEL), "--http-port", "0"], environment),
        (["serve", "--port", "0"], away),
    ]
    running = [begun(command, told, log) for (command, told), log in zip(commands, logs, strict=True)]
    try:
        base = f"http://127.0.0.1:{free_port}"
        until(lambda: "broker 127.0.0.1:1: " in logs[1].read_text(encoding="utf-8"))
        until(lambda: answered(base))
        bearer = {"Authorization": f"Bearer {SECRET}"}
        assert httpx.get(f"{base}/v1/plant", headers=bearer).status_code == 200
        assert (
            httpx.get(f"{base}/v1/plant", headers={"Authorization": f"Bearer x{SECRET}"}).status_code == 401
        )
        assert httpx.get(f"{base}/v1/plant?key={SECRET}", headers=bearer).status_code == 422
        httpx.post(
            f"{base}/v1/keys",
            json={"name": "n", "scopes": ["read"]},
            headers={**bearer, "Idempotency-Key": "k"},
        )
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(30)
    told = "".join(log.read_text(encoding="utf-8") for log in logs)
    assert "listening on http://" in told
    assert SECRET not in told
    assert password not in told


def begun(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "deploy", *command],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def answered(base: str) -> bool:
    try:
        return httpx.get(f"{base}/v1/plant", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200
    except httpx.TransportError:
        return False


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
