"""MQTT over TLS by its settings, on a real Mosquitto that asks for a certificate of ours."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import find_mosquitto
from ingest.errors import InputError
from ingest.main import run
from ingest.mqtt.tls import BrokerTls
from ingest.settings import IngestSettings
from tests.certificates import Authority
from tests.ingest.mqtt.conversation import caught_up, subscriber, until
from tests.ingest.mqtt.test_brokers import running

STEEL = Path(__file__).resolve().parents[3] / "simulator" / "plants" / "steel.yaml"
CONFIG = """
user root
listener {port} 127.0.0.1
allow_anonymous true
cafile {authority}
certfile {certificate}
keyfile {key}
require_certificate true
max_queued_messages 0
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def url(authority: Authority, free_port: int, tmp_path: Path) -> Iterator[str]:
    """A broker that lets in who has a certificate of the authority."""
    mosquitto = find_mosquitto()
    if mosquitto is None:
        pytest.skip("needs Mosquitto on PATH (Debian: apt install mosquitto)")
    certificate, key = authority.issued("broker")
    config = tmp_path / "mosquitto.conf"
    config.write_text(
        CONFIG.format(port=free_port, authority=authority.certificate, certificate=certificate, key=key),
        encoding="utf-8",
    )
    with running([mosquitto, "-c", str(config)], free_port):
        yield f"mqtts://127.0.0.1:{free_port}"


@pytest.mark.broker
async def test_who_shows_a_certificate_of_the_authority_is_let_in(url: str, authority: Authority) -> None:
    settings = BrokerTls(authority.certificate, *authority.issued("ingest"))
    async with subscriber(url, tls=settings.context()) as source:
        assert await caught_up(source) == []


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.broker
async def test_a_broker_of_another_authority_is_refused_in_one_sentence(
    url: str, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    wrong = BrokerTls(other.certificate, *authority.issued("ingest"))
    async with subscriber(url, tls=wrong.context()) as source:
        await until(lambda: "not believed" in source.trouble, f"the refusal, not {source.trouble}")
        assert source.trouble.startswith("the broker's certificate is not believed (")
        assert source.trouble.endswith("): expected one of the authority in STACKWATT_MQTT_CA")
        assert "\n" not in source.trouble
        assert not source.connected
    careless = BrokerTls(other.certificate, *authority.issued("ingest"), verify=False)
    async with subscriber(url, tls=careless.context()) as source:
        await caught_up(source)


@pytest.mark.broker
async def test_ingest_connects_by_its_settings(
    dsn: str, url: str, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    settings = IngestSettings(
        dsn=dsn, mqtt_url=url, mqtt_tls=BrokerTls(authority.certificate, *authority.issued("ingest")), plants=(STEEL,),
        http_port=None,
    )  # fmt: skip
    caplog.set_level("INFO")
    task = asyncio.create_task(run(settings))
    await until(lambda: ": connected, session" in caplog.text or task.done(), "the connection")
    task.cancel()
    await asyncio.wait({task})
    assert ": connected, session" in caplog.text


def test_what_is_no_file_of_the_kind_is_one_sentence(authority: Authority, tmp_path: Path) -> None:
    missing = tmp_path / "no-such.pem"
    with pytest.raises(
        InputError, match=r"MQTT TLS authority '.*no-such.pem': No such file or directory; expected"
    ):
        BrokerTls(missing).context()
    with pytest.raises(InputError, match=r"MQTT TLS certificate '.*no-such.pem': No such file"):
        BrokerTls(authority.certificate, missing).context()
