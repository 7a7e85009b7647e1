"""Statements are signed with Ed25519, by one key of the ingest process.

The key is 32 random bytes in a file of ours, in hex, never in the database. `cryptography` signs; checking a signature
needs no package (`verifier.signature`).
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingest.errors import InputError


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one key."""

    public_key: bytes
    sign: Callable[[bytes], bytes]


def read_signer(path: Path) -> Signer:
    """The signer of a key file.

    Raises:
        InputError: there is no such key, or others may read it.
    """
    try:
        status, text = path.stat(), path.read_text(encoding="ascii").strip()
        seed = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} holds no evidence key: expected 64 hex digits in a file of ours") from error
    # What root owns reaches us by our group: so do Kubernetes and systemd hand out secrets.
    if status.st_mode & (0o037 if status.st_uid == 0 != os.geteuid() else 0o077):
        raise InputError(f"{path} can be read by others: expected mode 600")
    if len(seed) != 32:
        raise InputError(
            f"{path} holds no evidence key: expected 64 hex digits, found {len(text)} characters"
        )
    return signer_of(seed)


def signer_of(seed: bytes) -> Signer:
    """The signer of a key of 32 bytes."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return Signer(key.public_key().public_bytes_raw(), key.sign)


def make_key(path: Path) -> None:
    """Write a new key to a file that only we can read.

    Raises:
        InputError: the file is there already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected a new file in a folder of ours") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
