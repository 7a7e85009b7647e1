"""The embedded database and the broker: start, crash, start again."""

import os
import stat
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from psycopg.conninfo import conninfo_to_dict

from deploy.account import Account, unprivileged_account
from deploy.broker import Broker, find_mosquitto, mosquitto_config
from deploy.postgres import PostgresServer, find_programs
from ingest.errors import StackwattError

needs_mosquitto = pytest.mark.skipif(
    find_mosquitto() is None, reason="needs Mosquitto on PATH (Debian: apt install mosquitto)"
)


def test_fresh_database_has_the_schema_and_is_not_shared(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO site (id) VALUES ('cement')")
        assert connection.execute("SELECT count(*) FROM site").fetchone() == (1,)


def test_fresh_database_is_not_the_one_of_the_test_before(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM site").fetchone() == (0,)


def test_committed_rows_survive_kill_9(database_server: PostgresServer) -> None:
    with psycopg.connect(database_server.dsn()) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    database_server.kill()
    database_server.start()
    with psycopg.connect(database_server.dsn()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_pid_file_naming_a_living_stranger_is_no_obstacle(database_server: PostgresServer) -> None:
    database_server.kill()
    pid_file = database_server.folder / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    database_server.start()
    with psycopg.connect(database_server.dsn()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_initdb_that_was_interrupted_is_done_again(server_home: Path) -> None:
    server = PostgresServer(server_home, unprivileged_account(), durable=False)
    half = server.folder / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    server.stop()
    assert (server.folder / "data" / "global").is_dir()


def test_database_is_closed_to_other_accounts(database_server: PostgresServer) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((database_server.folder / name).stat().st_mode)

    assert stat.S_IMODE(database_server.folder.stat().st_mode) == 0o700
    assert mode("run") == 0o700
    assert mode("password") == 0o600
    assert mode("data") == 0o700


def test_database_asks_for_the_password(database_server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database_server.dsn(), password="guess")


def test_database_listens_on_tcp_only_where_a_port_is_asked_for(
    database_server: PostgresServer, server_home: Path, free_port: int
) -> None:
    with psycopg.connect(database_server.dsn()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    server = PostgresServer(server_home, unprivileged_account(), port=free_port, durable=False)
    server.start()
    try:
        with psycopg.connect(server.dsn(), host="127.0.0.1") as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
    finally:
        server.stop()


def test_server_runs_from_a_copy_where_its_account_cannot_reach_the_wheel(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.postgres.can_reach", lambda _folder, _account: False)
    account = unprivileged_account() or Account("me", os.getuid(), os.getgid())
    assert find_programs(server_home, account).is_relative_to(server_home)
    if os.geteuid() != 0:
        pytest.skip("only root can start it under another account; run as root")
    server = PostgresServer(server_home, account, durable=False)
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    server.stop()


def test_long_state_folder_gets_a_socket_elsewhere(server_home: Path) -> None:
    home = server_home / ("long" * 25)
    home.mkdir(mode=0o755)
    server = PostgresServer(home, unprivileged_account(), durable=False)
    server.start()
    sockets = Path(str(conninfo_to_dict(server.dsn())["host"]))
    assert not sockets.is_relative_to(home)
    server.stop()
    assert not sockets.exists()


@needs_mosquitto
def test_mosquitto_queues_for_an_absent_subscriber_beyond_its_defaults_and_a_restart(
    mosquitto: Broker,
) -> None:
    def subscriber() -> mqtt.Client:
        return mqtt.Client(CallbackAPIVersion.VERSION2, client_id="kept", clean_session=False)

    first = subscriber()
    first.connect("127.0.0.1", mosquitto.port)
    first.loop_start()
    _wait(first.is_connected)
    done: list[int] = []
    first.on_subscribe = lambda *arguments: done.append(arguments[2])
    _, mid = first.subscribe("t/#", qos=1)
    _wait(lambda: mid in done)
    first.disconnect()
    first.loop_stop()

    total = 3000  # the default keeps 1000
    sender = mqtt.Client(CallbackAPIVersion.VERSION2)
    sender.max_inflight_messages_set(total)
    sender.connect("127.0.0.1", mosquitto.port)
    sender.loop_start()
    for info in [sender.publish("t/a", str(n), qos=1) for n in range(total)]:
        info.wait_for_publish(30)
    sender.disconnect()
    sender.loop_stop()
    mosquitto.stop()
    mosquitto.start()

    received: list[int] = []
    second = subscriber()
    second.on_message = lambda _client, _data, message: received.append(int(message.payload))
    second.connect("127.0.0.1", mosquitto.port)
    second.loop_start()
    _wait(lambda: len(received) >= total)
    second.disconnect()
    second.loop_stop()
    assert received == list(range(total))


@needs_mosquitto
def test_mosquitto_open_to_the_network_wants_the_password(server_home: Path, free_port: int) -> None:
    broker = Broker(server_home, unprivileged_account(), port=free_port, bind="0.0.0.0")
    broker.start()
    try:
        assert _connect_code(free_port, None) != 0
        assert _connect_code(free_port, broker.url.partition("stackwatt:")[2].partition("@")[0]) == 0
    finally:
        broker.stop()


def test_configuration_is_anonymous_on_loopback_only() -> None:
    assert "allow_anonymous true" in mosquitto_config(Path("/s"), "::1", 1883)
    assert "allow_anonymous false" in mosquitto_config(Path("/s"), "192.0.2.1", 1883)


def test_stand_in_broker_is_never_opened_to_the_network(
    server_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.broker.find_mosquitto", lambda: None)
    broker = Broker(server_home, unprivileged_account(), port=1883, bind="0.0.0.0")
    assert not broker.keeps_messages
    with pytest.raises(StackwattError, match="needs Mosquitto"):
        broker.prepare()


def _connect_code(port: int, password: str | None) -> int:
    codes: list[int] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    if password is not None:
        client.username_pw_set("stackwatt", password)
    client.on_connect = lambda *arguments: codes.append(int(arguments[3].value))
    client.connect("127.0.0.1", port)
    client.loop_start()
    _wait(lambda: bool(codes))
    client.disconnect()
    client.loop_stop()
    return codes[0]


def _wait(condition: object, timeout_s: float = 20.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
