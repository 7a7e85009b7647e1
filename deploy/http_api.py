"""The HTTP API of a running service, for commands that act as a person.

Who acts is told by a key, as over any other client: nothing here knows the database.
One request, one connection; what the service refuses is its own sentence.
"""

import http.client
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from ingest.errors import InputError, StackwattError

TIMEOUT_S = 20.0


def stored_service(given: str | None, state: Path = Path(".state")) -> str:
    """The address of the service: the one given, else that of the stack of `./.state`."""
    if given is not None:
        return given
    file = state / "endpoints.json"
    try:
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"no service: give one by --service or STACKWATT_SERVICE, or run where ./run up has left {file}"
        ) from error
    return str(body["page"])


class HttpApi:
    """One service, asked with one key."""

    def __init__(self, address: str, key: str | None) -> None:
        """Take an address such as http://localhost:8080 and a key.

        Raises:
            InputError: there is no key, or it is no such address.
        """
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"service is {address!r}: expected an address such as http://localhost:8080")
        if not key:
            raise InputError(
                "no key: expected one with scope operate in STACKWATT_KEY, see `stackwatt keys create`"
            )
        self._parts = parts
        self._key = key

    def get(self, path: str, **asked: str | int | None) -> Any:
        """The document of a GET route; parameters that are None are left out."""
        given = {name: value for name, value in asked.items() if value is not None}
        return self._ask("GET", f"{path}?{urlencode(given)}", None)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **members: Any) -> Any:
        """The document of a POST route, under a new Idempotency-Key; what is None in `body` is left out."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        return self._ask("POST", path, json.dumps({**given, **members}).encode())

    def send(self, path: str, content: bytes, media_type: str, key: str, **asked: str) -> Any:
        """The document of a POST route that takes a file, under an Idempotency-Key of the caller's."""
        return self._ask("POST", f"{path}?{urlencode(asked)}", content, media_type, key)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        media_type: str = "application/json",
        idempotency_key: str | None = None,
    ) -> Any:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(str(self._parts.hostname), self._parts.port, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": media_type}
        if method == "POST":
            headers["Idempotency-Key"] = idempotency_key or secrets.token_hex(16)
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise StackwattError(f"the service at {self._parts.geturl()} does not answer: {error}") from error
        finally:
            connection.close()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise StackwattError(str(answer.get("detail", answer)))
        return answer


def path_of(*parts: str | int) -> str:
    """An address of the API; an id keeps its slashes."""
    return "/v1/" + "/".join(quote(str(part)) for part in parts)
