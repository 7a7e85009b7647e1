"""Where nothing may be sent, whatever a name says and when it says it."""

import asyncio
import ipaddress
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import InputError
from service.webhooks.posting import trusted
from service.webhooks.targets import TargetError, addresses_of, may_reach, parse_networks
from tests.service.webhooks.conftest import Bench, Clock, notifying
from tests.service.webhooks.receiving import Receiver, apply_plant, receiving, tell, webhook

EVERYTHING = parse_networks(["0.0.0.0/0", "::/0"])
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700::1111",
    "2a00:1450:4001:81b::200e",
    "64:ff9b::808:808",
]
OWN = [
    *(
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "127.0.0.1",
        "127.255.255.254",
        "100.64.0.1",
    ),
    *("::1", "fc00::1", "fdff::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1"),
]
NEVER = [
    *("0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.1.1.1", "255.255.255.255"),
    *(
        "240.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "100.100.100.200",
    ),
    *("::", "fe80::1", "fe80::1%eth0", "ff02::1", "fd00:ec2::254", "2001:db8::1", "2001::1", "2002:a00:1::"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::10.0.0.1", "100::1", "not an address", ""),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_open(text: str) -> None:
    assert may_reach(text, ())


@pytest.mark.parametrize("text", OWN)
def test_networks_of_ones_own_are_open_where_the_settings_say_so(text: str) -> None:
    assert not may_reach(text, ())
    assert may_reach(text, EVERYTHING)
    assert not may_reach(text, parse_networks(["192.0.2.0/24"]))


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_never_open(text: str) -> None:
    assert not may_reach(text, ())
    assert not may_reach(text, EVERYTHING)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_nothing_that_python_calls_private_is_open(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    nat64 = address in ipaddress.ip_network("64:ff9b::/96") if address.version == 6 else False
    if may_reach(str(address), ()) and not nat64:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_judged_as_itself(address: ipaddress.IPv4Address) -> None:
    plain = may_reach(str(address), ())
    assert may_reach(f"::ffff:{address}", ()) == plain
    assert may_reach(str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address))), ()) == plain


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match=r"private network: .*10\.0\.0\.1/8.*; expected such as"):
        parse_networks(["10.0.0.1/8"])


async def test_one_bad_address_among_good_ones_is_enough() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        assert (host, port) == ("mes.example", 443)
        return ["8.8.8.8", "10.0.0.1"]

    with pytest.raises(TargetError, match=r"Host mes\.example has address 10\.0\.0\.1, which is not public"):
        await addresses_of("https://mes.example/secret-path", (), resolve)


async def test_a_name_without_an_address_is_said() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(TargetError, match=r"Host mes\.example has no address\."):
        await addresses_of("https://mes.example/", (), resolve)


async def test_loopback_is_refused_unless_allowed(dsn: str, clock: Clock, receiver: Receiver) -> None:
    site = apply_plant(dsn, [webhook(receiver.url)])
    with psycopg.connect(dsn) as connection:
        tell(connection, site, "evt_1")
    async with notifying(dsn, clock, private=()) as bench:
        await bench.round()
        assert receiver.got == []
        [(error,)] = bench.sql("SELECT error FROM delivery_attempt")
    assert error.startswith("Host 127.0.0.1 has address 127.0.0.1, which is not public")


async def test_a_name_is_asked_once_and_what_it_says_later_makes_no_difference(
    dsn: str, clock: Clock, receiver: Receiver
) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    site = apply_plant(dsn, [webhook(f"http://mes.example:{receiver.port}/hook?key=1")])
    with psycopg.connect(dsn) as connection:
        tell(connection, site, "evt_1")
    async with notifying(dsn, clock, resolve=rebinding) as bench:
        await bench.round()
        assert bench.sql("SELECT state FROM delivery") == [("delivered",)]
    [got] = receiver.got
    assert (got.headers["host"], got.path) == (f"mes.example:{receiver.port}", "/hook?key=1")
    assert next(answers) == ["169.254.169.254"], "asked once"


async def test_the_next_address_is_tried_where_one_takes_no_connection(
    dsn: str, clock: Clock, receiver: Receiver
) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.2", "127.0.0.1"]

    site = apply_plant(dsn, [webhook(f"http://mes.example:{receiver.port}/hook")])
    with psycopg.connect(dsn) as connection:
        tell(connection, site, "evt_1")
    async with notifying(dsn, clock, resolve=resolve, private=EVERYTHING) as bench:
        await bench.round()
    assert receiver.ids == ["evt_1"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of mes.example, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=mes.example", "-addext", "subjectAltName=DNS:mes.example",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize(
    ("host", "trusts", "outcome"),
    [
        ("mes.example", True, None),
        ("mes.example", False, "The certificate is not accepted: self-signed certificate."),
        ("other.example", True, "The certificate is not accepted: Hostname mismatch"),
    ],
)
async def test_the_certificate_has_to_be_of_the_name(
    dsn: str, clock: Clock, certificate: Path, host: str, trusts: bool, outcome: str | None
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with receiving(context) as receiver:
        site = apply_plant(dsn, [webhook(f"https://{host}:{receiver.port}/hook")])
        with psycopg.connect(dsn) as connection:
            tell(connection, site, "evt_1")
        chosen = trusted(certificate / "cert.pem" if trusts else None)
        async with notifying(dsn, clock, context=chosen) as bench:
            await bench.round()
            [(error,)] = bench.sql("SELECT error FROM delivery_attempt")
        assert names == [host]
        assert len(receiver.got) == (1 if outcome is None else 0)
    assert error is None if outcome is None else error.startswith(outcome)


async def test_a_proxy_of_the_environment_is_not_asked(
    bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        site = apply_plant(bench.dsn, [webhook(receiver.url)])
        with psycopg.connect(bench.dsn) as connection:
            tell(connection, site, "evt_1")
        await bench.round()
        assert (receiver.ids, proxy.got) == (["evt_1"], [])


async def test_no_log_line_and_no_row_holds_a_secret_or_the_path(
    dsn: str, clock: Clock, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = "whsec_tooShort"
    entries = [
        webhook(f"{receiver.url}/T0P/s3cr3t?token=t0k3n", events=["*"]),
        webhook("http://127.0.0.1:1025/T0P/s3cr3t?token=t0k3n", id="closed"),
        webhook(receiver.url, id="wrong", secret_env="WRONG"),
    ]
    receiver.answer = lambda _: None
    site = apply_plant(dsn, entries)
    with psycopg.connect(dsn) as connection:
        tell(connection, site, "evt_1")
    async with notifying(dsn, clock) as good:
        environment = {**good.sender.environment, "WRONG": secret}
        good.notifier._sender = replace(good.sender, environment=environment)
        await good.round()
        stored = str(good.sql("SELECT * FROM delivery")) + str(good.sql("SELECT * FROM delivery_attempt"))
        stored += str(good.sql("SELECT * FROM webhook"))
    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("httpcore")
    )
    assert "The secret in environment variable WRONG is none" in stored
    for text in (stored, said, repr(good.sender)):
        for hidden in ("s3cr3t", "t0k3n", secret, *good.sender.environment.values()):
            assert hidden not in text
    await asyncio.sleep(0)
