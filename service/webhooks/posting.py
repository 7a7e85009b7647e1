"""One POST to an address that has been judged. The only module that knows an HTTP client.

The connection goes to the address, while the request and the certificate are those of the
name. Nothing is followed, no proxy is asked, no cookie kept, no connection used twice;
the answer has to begin before the deadline, and no more of it is read than is kept.
"""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from ingest.errors import InputError, StackwattError

MOST_ANSWER_BYTES = 500
_CONNECT_S = 3.0
"""For each address but the last."""
_BODY_S = 1.0
"""How long the body of an answer is listened to."""


class NoAnswerError(StackwattError):
    """The receiver did not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said."""

    status: int
    retry_after: str | None
    begin: str
    """The first of its body."""


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Whom to believe a certificate: the usual authorities, and those of a file.

    Raises:
        InputError: the file holds no certificates.
    """
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise InputError(f"{ca_file} is no file of certificates: {error}") from None
    return context


async def post(
    url: str,
    addresses: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    context: ssl.SSLContext,
    deadline: float,
) -> Answer:
    """Send a body to the first of the addresses that takes a connection.

    Args:
        url: of the endpoint, with its name.
        addresses: of that name, judged; at least one.
        headers: besides those of the connection.
        body: what is sent.
        context: whom to believe a certificate.
        deadline: when the answer has to have begun, by the loop's clock.

    Raises:
        NoAnswerError: none of them answers.
        TimeoutError: there is no answer in time.
    """
    named = httpx.URL(url)
    given = {**headers, "Host": named.netloc.decode("ascii"), "Connection": "close"}
    *others, last = addresses
    try:
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                request = _request(named, address, given, body, _CONNECT_S)
                return await _sent(request, context, deadline)
        return await _sent(_request(named, last, given, body, None), context, deadline)
    except httpx.HTTPError as error:
        raise NoAnswerError(_sentence(error)) from None


def _request(
    named: httpx.URL, address: str, headers: Mapping[str, str], body: bytes, connect_s: float | None
) -> httpx.Request:
    return httpx.Request(
        "POST",
        named.copy_with(host=address),
        headers=headers,
        content=body,
        extensions={
            "sni_hostname": named.raw_host.decode("ascii"),
            "timeout": {} if connect_s is None else {"connect": connect_s},
        },
    )


async def _sent(request: httpx.Request, context: ssl.SSLContext, deadline: float) -> Answer:
    # A transport each: what is connected is never used for another name at the same address.
    async with httpx.AsyncHTTPTransport(verify=context, trust_env=False) as transport:
        async with asyncio.timeout_at(deadline):
            response = await transport.handle_async_request(request)
        try:
            return Answer(
                response.status_code, response.headers.get("retry-after"), await _beginning(response)
            )
        finally:
            await response.aclose()


async def _beginning(response: httpx.Response) -> str:
    """The first of a body as text that a column holds; the status has been said, so nothing of this can fail."""
    found = b""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_BODY_S):
            async for part in response.aiter_raw():
                found += part
                if len(found) >= MOST_ANSWER_BYTES:
                    break
    return found[:MOST_ANSWER_BYTES].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _sentence(error: httpx.HTTPError) -> str:
    """Why there was no answer, without the address asked: a path may be secret."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The certificate is not accepted: {cause.verify_message}."
        if isinstance(cause, ssl.SSLError):
            return f"No TLS connection: {cause.reason or 'the handshake failed'}."
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return "No connection."
        case httpx.RemoteProtocolError():
            return "The connection ended before an answer, or the answer is no HTTP."
        case _:
            return f"No answer: {type(error).__name__}."
