"""Asking our own HTTP servers something, without a client library.

One request, one connection, a short timeout. No answer is an answer: None.
"""

import http.client
import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body; a body that is not JSON is None."""

    status: int
    body: Any


def get(host: str, port: int, path: str, key: str | None = None, timeout_s: float = 3.0) -> Answer | None:
    """GET `path`; None if there is no HTTP server there now."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    try:
        return Answer(response.status, json.loads(text))
    except ValueError:
        return Answer(response.status, None)


def is_ready(host: str, port: int) -> bool:
    """Whether `/readyz` says so."""
    answer = get(host, port, "/readyz")
    return answer is not None and answer.status == http.HTTPStatus.OK
