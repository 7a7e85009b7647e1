"""Broker URLs, and that a password is never shown."""

import pytest

from ingest.errors import InputError
from ingest.mqtt.address import BrokerAddress


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://127.0.0.1", BrokerAddress("127.0.0.1", 1883)),
        ("mqtts://broker.plant", BrokerAddress("broker.plant", 8883, tls=True)),
        ("mqtt://u:p%40ss%2F@[::1]:1999/", BrokerAddress("::1", 1999, username="u", password="p@ss/")),
        ("mqtt://only@host", BrokerAddress("host", 1883, username="only")),
    ],
)
def test_a_url_is_taken_apart(url: str, expected: BrokerAddress) -> None:
    assert BrokerAddress.parse(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:1883",
        "http://u:secret@host",
        "mqtt://u:secret@",
        "mqtt://u:secret@host:port",
        "mqtt://u:secret@host:99999",
        "mqtt://u:secret@a..b",
        "mqtt://u:secret@host/topic",
        "mqtt://u:secret@host?ca=x",
    ],
)
def test_a_wrong_url_is_one_sentence_without_the_password(url: str) -> None:
    with pytest.raises(InputError, match="expected mqtt://") as caught:
        BrokerAddress.parse(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_representation_shows_the_password() -> None:
    address = BrokerAddress.parse("mqtt://u:secret@host")
    assert "secret" not in f"{address!r} {address}"
