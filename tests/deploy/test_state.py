"""The state folder, ports, and what is refused before anything starts."""

import json
import socket
import stat
from pathlib import Path

import pytest

from deploy.account import Account, can_reach, data_folder, open_state
from deploy.commands.up import external_broker
from deploy.database import stored_dsn
from deploy.ports import choose
from deploy.stack import Wishes
from deploy.state import Endpoints, State
from ingest.errors import InputError

ENDPOINTS = Endpoints(
    bind="0.0.0.0", http=8080, ingest=8081, mqtt=1883, pg=None, mqtt_url="mqtt://h", dsn="host=/s", key="k"
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_state_folder_belongs_to_one_stack(tmp_path: Path) -> None:
    with (
        State(tmp_path / "s", None),
        pytest.raises(InputError, match=r"is in use by process \d+: stop that stack"),
    ):
        State(tmp_path / "s", None)
    State(tmp_path / "s", None).close()


def test_state_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected a folder this account owns or may make"):
        State(tmp_path / "file", None)


def test_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    with State(tmp_path, None) as state:
        key = state.admin_key(None)
        assert len(key) >= 32
        assert state.admin_key(None) == key
        assert mode(state.key_file) == 0o600
        assert state.admin_key("given") == "given"
        assert state.admin_key(None) == "given"


def test_endpoints_are_private_and_tell_other_commands_the_database(tmp_path: Path) -> None:
    with State(tmp_path, None) as state:
        state.write_endpoints(ENDPOINTS)
    body = json.loads((tmp_path / "endpoints.json").read_text())
    assert mode(tmp_path / "endpoints.json") == 0o600
    assert body["ports"] == {"http": 8080, "mqtt": 1883, "ingest": 8081, "pg": None}
    assert (body["key"], body["dsn"], body["page"]) == ("k", "host=/s", "http://127.0.0.1:8080/")
    assert stored_dsn(None, tmp_path) == "host=/s"
    assert stored_dsn("dbname=given", tmp_path) == "dbname=given"
    with pytest.raises(InputError, match="no database"):
        stored_dsn(None, tmp_path / "elsewhere")


def test_state_is_passable_for_another_account_only_where_there_is_one(tmp_path: Path) -> None:
    open_state(tmp_path / "mine", None)
    assert mode(tmp_path / "mine") == 0o700
    open_state(tmp_path / "servers", Account("x", 12345, 12345))
    assert mode(tmp_path / "servers") == 0o711


def test_reach_is_decided_by_every_folder_above(tmp_path: Path) -> None:
    stranger = Account("x", 12345, 12345)
    inner = tmp_path / "closed" / "open"
    inner.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not can_reach(inner, stranger)


@pytest.mark.skipif("os.geteuid() != 0", reason="only root keeps data elsewhere; run as root")
def test_data_lies_elsewhere_where_the_account_cannot_reach(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    account = Account("x", 12345, 12345)
    state = closed / "state"
    open_state(state, account)
    folder = data_folder(state, account)
    try:
        assert (state / "data").is_symlink()
        assert can_reach(folder, account)
        assert data_folder(state, account) == folder
        assert mode(closed) == 0o700, "a folder that is not ours was opened"
    finally:
        folder.rmdir()


def test_busy_default_port_moves_and_a_busy_port_asked_for_is_refused() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        taken: set[int] = set()
        chosen = choose("--http-port", None, port, "127.0.0.1", taken)
        assert chosen > port
        assert taken == {chosen}
        with pytest.raises(InputError, match=rf"^--http-port {port} is busy on 127.0.0.1"):
            choose("--http-port", port, 8080, "127.0.0.1", taken)
        with pytest.raises(InputError, match="busy"):
            choose("--mqtt-port", chosen, 1883, "127.0.0.1", taken)


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        (Wishes(dsn="x", pg_port=5432), "--pg-port is for the embedded PostgreSQL"),
        (Wishes(mqtt_url="mqtt://h", mqtt_port=1883), "--mqtt-port is for our own broker"),
        (Wishes(bind="192.0.2.1"), r"--bind 192\.0\.2\.1: expected an address of this machine"),
        (Wishes(bind="nowhere.invalid"), "--bind nowhere.invalid: expected an address of this machine"),
        (Wishes(plants=(Path("/nonexistent.yaml"),)), "/nonexistent.yaml: cannot be read: No such file"),
    ],
)
def test_contradiction_is_refused(wishes: Wishes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        wishes.check()


@pytest.mark.parametrize(
    ("broker", "given", "sentence"),
    [
        ("own", "mqtt://h", "give --broker external"),
        ("external", None, "needs its address"),
        ("none", None, "expected own or external"),
    ],
)
def test_broker_options_that_do_not_fit_are_refused(broker: str, given: str | None, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        external_broker(broker, given, None)


def test_broker_is_ours_unless_it_is_external() -> None:
    assert external_broker("own", None, "mqtt://environment") is None
    assert external_broker("external", None, "mqtt://environment") == "mqtt://environment"
    assert external_broker("external", "mqtt://given", "mqtt://environment") == "mqtt://given"
