"""Mosquitto itself under the configuration and rules of the compose stack, with secrets as prepare.sh makes them."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from deploy.account import Account, open_state, unprivileged_account
from deploy.broker import find_mosquitto, mosquitto_config
from deploy.process import ROOT, end, spawn
from ingest.errors import InputError
from ingest.main import run
from ingest.mqtt.tls import BrokerTls
from ingest.settings import IngestSettings, check_session
from tests.ingest.feeding import PLANT

COMPOSE = ROOT / "deploy" / "compose"
CONFIG = (COMPOSE / "broker" / "mosquitto.conf").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Running:
    """The broker, and who may talk to it."""

    port: int
    secrets: Path
    log: Path

    def client(self, user: str, *, password: str | None = None, identifier: str = "") -> mqtt.Client:
        """A connected client of a user; raises ConnectionError when the broker refuses it."""
        file = self.secrets / ("mqtt_password" if user == "stackwatt" else f"mqtt_site_{user}")
        client = mqtt.Client(CallbackAPIVersion.VERSION2, identifier, protocol=mqtt.MQTTv5)
        client.username_pw_set(user, password or file.read_text().strip())
        client.tls_set(str(self.secrets / "ca.crt"))
        answered = threading.Event()
        codes: list[ReasonCode] = []

        def on_connect(
            _client: object, _data: object, _flags: object, code: ReasonCode, _more: object
        ) -> None:
            codes.append(code)
            answered.set()

        client.on_connect = on_connect
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        assert answered.wait(10)
        if codes[0].is_failure:
            client.loop_stop()
            raise ConnectionError(str(codes[0]))
        return client

    def may_publish(self, user: str, topic: str, payload: str = "1") -> bool:
        """Whether the broker takes a QoS 1 message of the user; a refusal is a reason code in MQTT 5."""
        client = self.client(user)
        answered = threading.Event()
        codes: list[ReasonCode] = []

        def on_publish(_client: object, _data: object, _mid: int, code: ReasonCode, _more: object) -> None:
            codes.append(code)
            answered.set()

        client.on_publish = on_publish
        client.publish(topic, payload, qos=1)
        assert answered.wait(10)
        _leave(client)
        return not codes[0].is_failure


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    program = find_mosquitto()
    if program is None:
        pytest.skip("needs Mosquitto on PATH (Debian: apt install mosquitto)")
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl on PATH to make certificates")
    account = unprivileged_account()
    home = Path(os.environ.get("TMPDIR", "/tmp")) / f"stackwatt-rules-{os.getpid()}"
    open_state(home, account)
    try:
        yield from _broker(program, home, account)
    finally:
        shutil.rmtree(home)


def _broker(program: str, home: Path, account: Account | None) -> Iterator[Running]:
    secrets, data = home / "secrets", home / "data"
    for folder in (secrets, data):
        folder.mkdir()
        if account is not None:
            os.chown(folder, account.uid, account.gid)
    _prepare(secrets, account, "works", "mill")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    rules = home / "acl"
    shutil.copy(COMPOSE / "broker" / "acl", rules)
    config = home / "mosquitto.conf"
    config.write_text(
        CONFIG.replace("listener 8883", f"listener {port} 127.0.0.1")
        .replace("/run/secrets", str(secrets))
        .replace("/mosquitto/config/acl", str(rules))
        .replace("/mosquitto/data/", f"{data}/")
    )
    log = home / "broker.log"
    process = spawn([program, "-c", str(config)], log=log, account=account)
    try:
        _wait_for(port, log)
        yield Running(port, secrets, log)
    finally:
        end(process, signal.SIGTERM, 10)


def _prepare(secrets: Path, account: Account | None, *sites: str) -> None:
    script = [str(COMPOSE / "prepare.sh"), "--host", "127.0.0.1", *sites]
    subprocess.run(
        ["/bin/sh", *script],
        env={"PATH": os.environ["PATH"], "SECRETS": str(secrets), "HOME": str(secrets)},
        cwd="/",
        check=True,
        capture_output=True,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        else:
            return


def _leave(client: mqtt.Client) -> None:
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize(
    ("user", "topic", "may"),
    [
        ("works", "plant/works/kiln/power", True),
        ("works", "plant/works", True),
        ("works", "plant/mill/line/power", False),
        ("works", "plant/works/$mes", False),
        ("works", "plant/works2/kiln/power", False),
        ("works", "stackwatt/works/marker", False),
        ("works", "elsewhere", False),
        ("mill", "plant/mill/line/power", True),
        ("stackwatt", "stackwatt/works/marker", True),
        ("stackwatt", "plant/works/kiln/power", False),
    ],
)
def test_a_meter_publishes_below_its_site_and_nowhere_else(
    broker: Running, user: str, topic: str, may: bool
) -> None:
    assert broker.may_publish(user, topic) is may


def test_ingest_hears_every_site_and_a_meter_hears_nothing(broker: Running) -> None:
    heard: dict[str, list[str]] = {"stackwatt": [], "mill": []}
    listening = []
    for user, topics in heard.items():
        client = broker.client(user)
        subscribed = threading.Event()
        client.on_message = lambda _client, _data, message, topics=topics: topics.append(message.topic)
        client.on_subscribe = lambda *_arguments, subscribed=subscribed: subscribed.set()
        client.subscribe("plant/#", qos=1)
        assert subscribed.wait(10)
        listening.append(client)
    for user in ("works", "mill"):
        assert broker.may_publish(user, f"plant/{user}/x")
    deadline = time.monotonic() + 10
    while len(heard["stackwatt"]) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    for client in listening:
        _leave(client)
    assert sorted(heard["stackwatt"]) == ["plant/mill/x", "plant/works/x"]
    assert heard["mill"] == []


async def test_ingest_takes_what_meters_tell_and_no_other_client_its_session(
    broker: Running, dsn: str, tmp_path: Path
) -> None:
    plant = tmp_path / "mill.yaml"
    plant.write_text(PLANT.replace("site: mill", "site: works"), encoding="utf-8")
    password = (broker.secrets / "mqtt_password").read_text().strip()
    settings = IngestSettings(
        dsn=dsn,
        mqtt_url=f"mqtts://stackwatt:{password}@127.0.0.1:{broker.port}",
        mqtt_session=check_session((broker.secrets / "mqtt_session").read_text().strip()),
        mqtt_tls=BrokerTls(broker.secrets / "ca.crt"),
        plants=(plant,),
        http_port=None,
    )
    task = asyncio.create_task(run(settings))
    stranger = await asyncio.to_thread(broker.client, "mill", identifier="stackwatt-works")
    told = 0
    deadline = time.monotonic() + 60
    while _stored(dsn) < 3:
        assert time.monotonic() < deadline
        assert not task.done()
        assert await asyncio.to_thread(broker.may_publish, "works", "plant/works/line/setpoint", f"{told}.0")
        told += 1
    assert stranger.is_connected()
    _leave(stranger)
    task.cancel()
    await asyncio.wait({task})
    log = broker.log.read_text(encoding="utf-8", errors="replace")
    assert f"as {settings.mqtt_session}-works (" in log
    assert f"Client {settings.mqtt_session}-works already connected" not in log


def _stored(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM reading").fetchone()
    assert row is not None
    return int(row[0])


def test_a_session_has_a_name_that_a_broker_takes() -> None:
    with pytest.raises(InputError, match="1 to 100 of A-Z"):
        check_session("a b")


def test_who_has_no_password_or_no_tls_is_not_let_in(broker: Running) -> None:
    with pytest.raises(ConnectionError, match="Not authorized"):
        broker.client("works", password="guess")
    plain = mqtt.Client(CallbackAPIVersion.VERSION2)
    codes: list[ReasonCode] = []
    plain.on_connect = lambda *arguments: codes.append(arguments[3])
    gone = threading.Event()
    plain.on_disconnect = lambda *_arguments: gone.set()
    plain.connect("127.0.0.1", broker.port)
    plain.loop_start()
    assert gone.wait(10)
    plain.loop_stop()
    assert codes == []


def test_another_site_is_added_and_nothing_is_made_anew(broker: Running) -> None:
    account = unprivileged_account()
    before = {file.name: file.read_bytes() for file in broker.secrets.iterdir()}
    _prepare(broker.secrets, account, "mill", "quarry")
    after = {file.name: file.read_bytes() for file in broker.secrets.iterdir()}
    users = after.pop("mqtt_passwords")
    assert users.startswith(before.pop("mqtt_passwords"))
    assert users.splitlines()[-1].startswith(b"quarry:$6$")
    assert after.keys() - before.keys() == {"mqtt_site_quarry"}
    assert {name: after[name] for name in before} == before


def test_its_queues_are_those_of_the_embedded_broker() -> None:
    own = set(mosquitto_config(Path("/s"), "127.0.0.1", 1).splitlines())
    differs = {"allow_anonymous true", "listener 1 127.0.0.1", "persistence_location /s/"}
    assert own - set(CONFIG.splitlines()) == differs
