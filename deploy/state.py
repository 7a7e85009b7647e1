"""The state folder: who uses it, the admin key, where things listen.

lock             held while a stack runs on the folder
admin_key        0600, the key in force
evidence_key     0600, signs evidence
endpoints.json   0600, ports, key and DSN of the stack that runs or ran last
logs/            one file per process
data/            the servers' own folders (a link where their account cannot reach this one)
"""

import fcntl
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.account import Account, data_folder, open_state, write_private
from ingest.errors import InputError
from ingest.evidence.signing import make_key


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a stack listens, and what it takes to talk to it."""

    bind: str
    http: int
    ingest: int
    mqtt: int | None
    """None: the broker is someone else's."""
    pg: int | None
    """None: the database is on a Unix socket or someone else's."""
    mqtt_url: str
    dsn: str
    key: str

    @property
    def ports(self) -> dict[str, int | None]:
        """Ports by name, as in `endpoints.json`."""
        return {"http": self.http, "mqtt": self.mqtt, "ingest": self.ingest, "pg": self.pg}

    @property
    def host(self) -> str:
        """The address under which this machine reaches what is bound to `bind`."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)  # noqa: S104 - compared, not bound

    @property
    def page(self) -> str:
        """Address of the live page."""
        return (
            f"http://[{self.host}]:{self.http}/" if ":" in self.host else f"http://{self.host}:{self.http}/"
        )


class State:
    """An opened state folder; `close` (or leaving the context) lets another stack have it."""

    def __init__(self, folder: Path, account: Account | None) -> None:
        """Make the folder if need be and take it, or say who has it."""
        self.folder = folder.resolve()
        self.account = account
        try:
            open_state(self.folder, account)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InputError(
                f"--state {self.folder}: {error.strerror}; expected a folder this account owns or may make"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._lock, 20).decode() or "unknown"
            os.close(self._lock)
            raise InputError(
                f"{self.folder} is in use by process {holder}: stop that stack, or give another --state"
            ) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        self.data = data_folder(self.folder, account)
        self.logs = self.folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.logs.chmod(0o700)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another stack have the folder."""
        os.close(self._lock)

    @property
    def key_file(self) -> Path:
        """The file that holds the admin key in force."""
        return self.folder / "admin_key"

    def admin_key(self, given: str | None) -> str:
        """The key given, else the one kept, else a new one; it is kept."""
        if given is None and self.key_file.exists():
            return self.key_file.read_text(encoding="utf-8").strip()
        key = given or secrets.token_urlsafe(32)
        write_private(self.key_file, key + "\n")
        return key

    def evidence_key(self) -> Path:
        """The file of the key that signs evidence, kept or new."""
        file = self.folder / "evidence_key"
        if not file.exists():
            make_key(file)
        return file

    def write_endpoints(self, endpoints: Endpoints) -> None:
        """Write `endpoints.json`."""
        body = {
            "ports": endpoints.ports,
            "bind": endpoints.bind,
            "page": endpoints.page,
            "mqtt_url": endpoints.mqtt_url,
            "key": endpoints.key,
            "dsn": endpoints.dsn,
            "pid": os.getpid(),
        }
        write_private(self.folder / "endpoints.json", json.dumps(body, indent=2) + "\n")
