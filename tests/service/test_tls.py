"""HTTPS with certificates made here: who is let in, and what cannot be used is one sentence."""

import asyncio
import ssl
from pathlib import Path

import httpx
import pytest

from ingest.errors import InputError
from service.app import create_app
from service.main import open_listener, run, serve
from service.tls import Tls, tls_of
from tests.certificates import Authority
from tests.service.conftest import ADMIN_KEY, SeededDatabase
from tests.service.test_live import BEARER


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def asked(shared: SeededDatabase, tls: Tls, client: ssl.SSLContext) -> httpx.Response:
    """The answer of a service over TLS to a client that has its own ideas of whom to believe."""
    listener, stop = open_listener("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(create_app(shared.dsn, ADMIN_KEY), listener, stop, tls))
    try:
        base = f"https://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=base, verify=client, timeout=20) as asking:
            return await asking.post("/v1/session", headers=BEARER)
    finally:
        stop.set()
        await serving


async def test_https_answers_whoever_believes_its_authority(
    shared: SeededDatabase, authority: Authority
) -> None:
    tls = tls_of(*authority.issued("service"), None)
    assert tls is not None
    response = await asked(shared, tls, authority.trusting())
    assert response.status_code == 200
    assert "Secure" in response.headers["set-cookie"]
    assert response.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_client_that_believes_another_authority_is_told_nothing(
    shared: SeededDatabase, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await asked(shared, Tls(*authority.issued("service")), other.trusting())


async def test_only_clients_with_a_certificate_are_let_in_where_that_is_asked(
    shared: SeededDatabase, authority: Authority
) -> None:
    tls = Tls(*authority.issued("service"), authority.certificate)
    client = authority.trusting()
    with pytest.raises(httpx.TransportError):
        await asked(shared, tls, client)
    client.load_cert_chain(*authority.issued("client"))
    assert (await asked(shared, tls, client)).status_code == 200


async def test_what_cannot_be_used_is_one_sentence(
    authority: Authority, tmp_path: Path, free_port: int
) -> None:
    certificate, key = authority.issued("service")
    _, other_key = authority.issued("client")
    missing = tmp_path / "no-such.pem"
    for tls, sentence in (
        (Tls(missing, key), "No such file or directory; expected a certificate and its key in PEM"),
        (Tls(certificate, other_key), "KEY_VALUES_MISMATCH; expected a certificate and its key in PEM"),
        (Tls(certificate, key, missing), "No such file or directory; expected certificates in PEM"),
    ):
        with pytest.raises(InputError, match=sentence):
            await run("postgresql://x@127.0.0.1:1/x", "127.0.0.1", free_port, None, tls=tls)
    with pytest.raises(InputError, match="expected both"):
        tls_of(certificate, None, None)
