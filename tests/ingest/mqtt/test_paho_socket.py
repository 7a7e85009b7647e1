"""What is used of paho and aiomqtt without their promise, held against the installed versions."""

import inspect
from importlib.metadata import version

import aiomqtt
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.mqtt import paho_socket

FOLLOW = "ingest/mqtt/paho_socket.py relies on it and has to follow"


@pytest.fixture
def client() -> Client:
    return Client(CallbackAPIVersion.VERSION2)


@pytest.mark.parametrize("name", paho_socket.NEEDED)
def test_paho_still_has(client: Client, name: str) -> None:
    assert hasattr(client, name), f"paho-mqtt {version('paho-mqtt')} has no Client.{name}: {FOLLOW}"


def test_every_private_name_used_is_listed() -> None:
    source = inspect.getsource(paho_socket)
    used = {part.split("(")[0].split()[0].rstrip(".,)") for part in source.split("self._client.")[1:]}
    assert {name for name in used if name.startswith("_")} == set(paho_socket.NEEDED)


def test_an_incoming_packet_has_the_fields_we_fill(client: Client) -> None:
    expected = {
        "command", "have_remaining", "packet", "pos", "remaining_count", "remaining_length", "remaining_mult",
        "to_process",
    }  # fmt: skip
    assert set(client._in_packet) == expected, f"paho-mqtt {version('paho-mqtt')}: {FOLLOW}"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_packet_handle", []),
        ("_packet_queue", ["command", "packet", "mid", "qos"]),
        ("_loop_rc_handle", ["rc"]),
        ("_sock_recv", ["bufsize"]),
    ],
)
def test_paho_is_still_called_the_same_way(client: Client, name: str, parameters: list[str]) -> None:
    found = list(inspect.signature(getattr(client, name)).parameters)
    assert found[: len(parameters)] == parameters, f"paho-mqtt {version('paho-mqtt')} {name}: {FOLLOW}"


async def test_aiomqtt_still_wraps_paho_the_same_way() -> None:
    wrapper = aiomqtt.Client("127.0.0.1")
    follow = "ingest/mqtt/subscriber.py relies on it and has to follow"
    assert isinstance(wrapper._client, Client), f"aiomqtt {version('aiomqtt')} has no paho client: {follow}"
    for name in ("_connected", "_disconnected"):
        assert hasattr(wrapper, name), f"aiomqtt {version('aiomqtt')} has no Client.{name}: {follow}"
    assert wrapper._client.on_connect == wrapper._on_connect
    assert wrapper._client.on_socket_open is not None
