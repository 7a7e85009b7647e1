"""What comes in the body of a POST, and the Idempotency-Key beside it.

A body is read no further than it may be long, and its own words say what is wrong
with it: the framework would read all of it, and call required what it cannot name.
"""

import asyncio
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Header, Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from service.problems import ProblemError, expected_of, invalid

MOST_BYTES = 1 << 20
"""As the wire contract bounds a message."""
BODY_S = 20.0
"""How long a body may take to come."""

KEY_EXPECTED = "1 to 200 printable ASCII characters, new for new content"

KEY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": KEY_EXPECTED,
    "schema": {"type": "string", "pattern": "^[ -~]{1,200}$"},
}
"""For a route's `openapi_extra`: the framework would call optional what we ask for in our own words."""
IdempotencyKey = Annotated[str | None, Header(include_in_schema=False)]

Asked = TypeVar("Asked", bound=BaseModel)


def checked_key(key: str | None) -> str:
    """The Idempotency-Key of a request.

    Raises:
        ProblemError: there is none, or it is no key.
    """
    if key is None:
        raise ProblemError(
            "idempotency-key-missing", f"Header 'Idempotency-Key' is missing: expected {KEY_EXPECTED}."
        )
    if not 1 <= len(key) <= 200 or not key.isascii() or not key.isprintable():
        raise invalid("Header", "Idempotency-Key", key, KEY_EXPECTED)
    return key


async def json_bytes(request: Request, wanted: str = "application/json") -> bytes:
    """The body as it came, said to be JSON, or of the media type `wanted`.

    Raises:
        ProblemError: it is said to be something else, or is too long.
    """
    media_type = request.headers.get("content-type", wanted).partition(";")[0].strip().lower()
    if media_type != wanted:
        raise ProblemError("wrong-media-type", f"The body has media type {media_type!r}: expected {wanted}.")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise ProblemError("wrong-media-type", f"The body has coding {coding!r}: expected it as it is.")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    raise ProblemError(
                        "body-too-large",
                        f"The body has more than {MOST_BYTES} bytes: expected at most {MOST_BYTES}.",
                        headers={"Connection": "close"},
                    )
    except ClientDisconnect:  # nobody will read it, but it is no failure of ours
        raise invalid_body("malformed", "it ended before its end") from None
    except TimeoutError:
        raise ProblemError(
            "body-too-slow",
            f"The body had not come after {BODY_S:g} s: expected all of it by then.",
            headers={"Connection": "close"},
        ) from None
    return bytes(body)


async def asked_in(request: Request, model: type[Asked]) -> Asked:
    """The body as a document of some kind; one without any member may be left out.

    Raises:
        ProblemError: it is not JSON, not an object, or a member is wrong.
    """
    content = await json_bytes(request) or b"{}"
    try:
        given = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid_body("malformed", f"it is not JSON: {error}.") from None
    if not isinstance(given, dict):
        raise invalid_body("malformed", "it is no JSON object.")
    return checked(model, given)


def checked(model: type[Asked], given: Any) -> Asked:
    """What was given as a document of some kind.

    Raises:
        ProblemError: a member is wrong.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"])
        match fault["type"]:
            case "missing":
                raise invalid("Body", name, None, "a value, for it is required") from None
            case "extra_forbidden":
                members = ", ".join(info.alias or name for name, info in model.model_fields.items()) or "none"
                raise invalid("Body", name, fault["input"], f"one of the members {members}") from None
            case _:
                raise invalid("Body", name, fault["input"], expected_of(fault)) from None


def invalid_body(reason: Any, detail: str) -> ProblemError:
    """The problem of a body as a whole."""
    sentence = detail if detail.endswith(".") else f"{detail}."
    return ProblemError("invalid-body", f"The body is refused: {sentence}", reason=str(reason))
