"""The same subscriber on brokers that differ: TLS with a password, and one that keeps nothing."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from paho.mqtt import publish as paho_publish

from deploy.broker import find_mosquitto
from ingest.mqtt.backlog import Limits
from tests.ingest.mqtt.conversation import PATIENCE_S, caught_up, collect, payloads, subscriber, until

TLS_CONFIG = """
user root
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
certfile {folder}/cert.pem
keyfile {folder}/key.pem
max_queued_messages 0
max_inflight_messages 65535
"""
USER, PASSWORD = "ingest", "p@ss:/word"


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, f"{command[0]} does not answer"
                    assert process.poll() is None, f"{command[0]} ended"
                    time.sleep(0.02)
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a fresh key and a certificate for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl on PATH to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def tls_broker(certificate: Path, free_port: int) -> Iterator[int]:
    mosquitto, passwd = find_mosquitto(), shutil.which("mosquitto_passwd")
    if mosquitto is None or passwd is None:
        pytest.skip("needs Mosquitto on PATH (Debian: apt install mosquitto)")
    subprocess.run([passwd, "-b", "-c", certificate / "passwords", USER, PASSWORD], check=True)
    config = certificate / "mosquitto.conf"
    config.write_text(TLS_CONFIG.format(port=free_port, folder=certificate), encoding="utf-8")
    with running([mosquitto, "-c", str(config)], free_port):
        yield free_port


def tls_url(port: int, password: str = PASSWORD) -> str:
    return f"mqtts://{USER}:{quote(password, safe='')}@127.0.0.1:{port}"


@pytest.mark.broker
@pytest.mark.parametrize("recv_bytes", [1000, 1 << 17])
async def test_tls_with_a_password_through_pauses(
    tls_broker: int, certificate: Path, recv_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A small recv leaves decrypted bytes inside TLS, for which no socket becomes readable.
    monkeypatch.setattr("ingest.mqtt.paho_socket.RECV_BYTES", recv_bytes)
    tls = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    options: dict[str, Any] = {"tls": tls, "limits": Limits(messages=20)}
    async with subscriber(tls_url(tls_broker), **options) as source:
        await caught_up(source)

    async def publish(first: int, stop: int) -> None:
        await asyncio.to_thread(
            paho_publish.multiple,
            [("plant/s/a", str(n).encode().rjust(6000), 1, False) for n in range(first, stop)],
            "127.0.0.1",
            tls_broker,
            auth={"username": USER, "password": PASSWORD},
            tls={"ca_certs": str(certificate / "cert.pem")},
        )

    await publish(0, 300)
    async with subscriber(tls_url(tls_broker), **options) as source:
        await until(lambda: source._intake.paused, "reading to stop")
        seen: list[int] = []
        while len(seen) < 300:
            deliveries = await source.collect(1.0, 7)
            source.acknowledge(deliveries)
            seen += payloads(deliveries)
        await caught_up(source)
        assert seen == list(range(300))
        await publish(300, 301)  # one record, and nothing behind it
        deliveries = await collect(source, 1)
        source.acknowledge(deliveries)
        assert payloads(deliveries) == [300]
        assert source.counters.reconnects == 0
    async with subscriber(tls_url(tls_broker), **options) as source:
        assert await caught_up(source) == []


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.broker
async def test_what_keeps_us_out_is_named_without_the_password(tls_broker: int, certificate: Path) -> None:
    tls = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    async with subscriber(tls_url(tls_broker, "wrong-secret"), tls=tls) as source:
        await until(lambda: "uthor" in source.trouble, f"the refusal, not {source.trouble}")
        assert "wrong-secret" not in source.trouble
    async with subscriber(tls_url(tls_broker)) as source:  # the system's authorities know no such certificate
        await until(lambda: "CERTIFICATE_VERIFY_FAILED" in source.trouble, f"not {source.trouble}")
    async with subscriber(f"mqtt://127.0.0.1:{tls_broker}") as source:
        await until(lambda: source.trouble not in {"", "not connected yet"}, "the failure")


async def test_a_broker_that_keeps_nothing_works_while_it_stands(free_port: int) -> None:
    command = [sys.executable, "-m", "deploy.amqtt_broker", "127.0.0.1", str(free_port)]
    url = f"mqtt://127.0.0.1:{free_port}"
    messages: Any = [("plant/s/a", str(n).encode(), 1) for n in range(50)]
    with running(command, free_port):
        async with subscriber(url) as source:
            await caught_up(source)
            await asyncio.to_thread(paho_publish.multiple, messages, "127.0.0.1", free_port)
            deliveries = await collect(source, 50)
            assert payloads(deliveries) == list(range(50))
            source.acknowledge(deliveries)
            assert source.connected
    with running(command, free_port):  # it has forgotten the session, so it is subscribed again
        async with subscriber(url, subscribed=["plant/s/#", "stackwatt/s/marker"]) as source:
            await caught_up(source)
            await asyncio.to_thread(paho_publish.multiple, messages, "127.0.0.1", free_port)
            source.acknowledge(await collect(source, 50))
