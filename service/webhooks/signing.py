"""Signatures of Standard Webhooks 1.0, and where their secrets come from.

A secret is `whsec_` and 24 to 64 bytes in base64. It is read when it is used, from the
environment the process was started with or from a file, so that a file may be changed without
a restart. During a rotation both secrets sign; the header holds a list. No sentence here
repeats any part of a secret.
"""

import base64
import binascii
import hashlib
import hmac
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from ingest.errors import StackwattError
from ingest.plant.webhooks import Webhook

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
_MOST_CHARACTERS = 200
_EXPECTED = f"expected {_PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64"


class SecretError(StackwattError):
    """A secret is not there, or is none."""


def secrets_of(webhook: Webhook, environment: Mapping[str, str]) -> list[bytes]:
    """The secrets that sign for a webhook, the present one first.

    Raises:
        SecretError: one is missing or has the wrong form.
    """
    present = _read(webhook.secret_env, webhook.secret_file, environment)
    previous = _read(webhook.previous_secret_env, webhook.previous_secret_file, environment)
    return [secret for secret in (present, previous) if secret is not None]


def signed(event_id: str, at_s: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The three headers of Standard Webhooks for one attempt at `at_s`, seconds since 1970."""
    content = f"{event_id}.{at_s}.".encode() + body
    signatures = [
        f"v1,{base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()}" for secret in secrets
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signatures),
    }


def _read(variable: str | None, file: str | None, environment: Mapping[str, str]) -> bytes | None:
    if variable is not None:
        where, text = f"environment variable {variable}", environment.get(variable)
        if not text:
            raise SecretError(f"The secret in {where} is not set.")
    elif file is not None:
        where = f"file {file}"
        try:
            if not stat.S_ISREG(Path(file).stat().st_mode):  # opening a pipe would wait for a writer
                raise SecretError(f"The secret in {where} cannot be read: it is no regular file.")
            with Path(file).open(encoding="ascii") as opened:
                text = opened.read(_MOST_CHARACTERS + 1)
        except OSError as error:
            raise SecretError(f"The secret in {where} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise SecretError(f"The secret in {where} is none: {_EXPECTED}.") from None
    else:
        return None
    return _decoded(text.strip(), where)


def _decoded(text: str, where: str) -> bytes:
    plain = text.removeprefix(_PREFIX)
    try:
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(_PREFIX) or not _SHORTEST <= len(secret) <= _LONGEST:
        raise SecretError(f"The secret in {where} is none: {_EXPECTED}.")
    return secret
