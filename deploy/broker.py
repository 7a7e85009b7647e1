"""The MQTT broker: Mosquitto with a configuration of ours, or the stand-in.

Ingest acknowledges only after commit, so the broker's queue is where readings
wait while ingest or the database is away. The defaults would drop them: 1000
queued messages, 20 in flight, saved every half hour. Ours keeps every message
up to a stated number of bytes and saves every few seconds; what Mosquitto acknowledged
since it began its last save is still lost when it is killed with -9 (never with TERM).
amqtt, where there is no Mosquitto, keeps nothing across a crash: demo only.
"""

import base64
import hashlib
import ipaddress
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

from deploy.account import Account, own_folder, write_private
from deploy.process import end, log_since, spawn
from ingest.errors import StackwattError

USER = "stackwatt"
MAX_QUEUED_BYTES = 2_000_000_000
"""What one disconnected client may leave waiting in the broker: hours of a plant, not its memory."""

AUTOSAVE_S = 2
"""`autosave_interval`. Mosquitto compares whole seconds with >, from the beginning of one save to that of the next: they are
a second more apart than it says, and nothing is acknowledged while one is written."""
LOST_AT_MOST_S = 5.0
"""What it may lose by SIGKILL: the time between two saves, and what one takes."""

_ALSO_IN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_PBKDF2_ITERATIONS = 101  # Mosquitto's own default; the password is 192 random bits


def find_mosquitto() -> str | None:
    """Mosquitto's binary; Debian keeps it in sbin, which is on PATH for root only."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=":".join(_ALSO_IN))


def is_loopback(bind: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        return bind == "localhost"


def mosquitto_config(folder: Path, bind: str, port: int) -> str:
    """Our configuration; read by Mosquitto 2.0.11 and later."""
    if is_loopback(bind):
        access = ["allow_anonymous true"]
    else:
        access = ["allow_anonymous false", f"password_file {folder / 'passwords'}"]
    lines = [
        "per_listener_settings false",
        f"listener {port} {bind}",
        *access,
        "persistence true",
        f"persistence_location {folder}/",
        f"autosave_interval {AUTOSAVE_S}",
        "max_queued_messages 0",
        f"max_queued_bytes {MAX_QUEUED_BYTES}",
        "max_inflight_messages 65535",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
        "connection_messages true",
    ]
    return "\n".join(lines) + "\n"


class Broker:
    """One broker process: `start`, `stop`, `kill` as often as wanted."""

    STOP_GRACE_S = 30.0

    def __init__(
        self,
        home: Path,
        account: Account | None,
        *,
        port: int,
        bind: str = "127.0.0.1",
        log: Path | None = None,
    ) -> None:
        """`home` exists and the account can pass through it."""
        self.folder = own_folder(home / "mqtt", account)
        self.log = log or home / "broker.log"
        self.bind = bind
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        self._account = account
        self._mosquitto = find_mosquitto()

    @property
    def keeps_messages(self) -> bool:
        """Whether what it acknowledged survives its restart."""
        return self._mosquitto is not None

    @property
    def host(self) -> str:
        """The address of this machine's own clients."""
        return "127.0.0.1" if self.bind in ("0.0.0.0", "::") else self.bind  # noqa: S104 - compared, not bound

    @property
    def url(self) -> str:
        """`mqtt://host:port`, with the password where one is needed."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if is_loopback(self.bind):
            return f"mqtt://{host}:{self.port}"
        return f"mqtt://{USER}:{quote(self._password())}@{host}:{self.port}"

    def prepare(self) -> None:
        """Write the configuration (and the password where the network can reach us)."""
        if self._mosquitto is None:
            if not is_loopback(self.bind):
                raise StackwattError(
                    f"--bind {self.bind} opens the broker to the network, which needs Mosquitto on PATH "
                    "(Debian: apt install mosquitto) or --broker external"
                )
            return
        config = mosquitto_config(self.folder, self.bind, self.port)
        write_private(self.folder / "mosquitto.conf", config, self._account)
        if not is_loopback(self.bind):
            line = f"{USER}:{_password_hash(self._password())}\n"
            write_private(self.folder / "passwords", line, self._account)

    def command(self) -> list[str]:
        """What to run, in the foreground, to have the broker."""
        if self._mosquitto is None:
            return [sys.executable, "-m", "deploy.amqtt_broker", self.bind, str(self.port)]
        return [self._mosquitto, "-c", str(self.folder / "mosquitto.conf")]

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the broker's process and return at once."""
        # Only Mosquitto changes account: the stand-in is our own code and may lie where only we can read.
        account = self._account if self.keeps_messages else None
        return spawn(self.command(), log=self.log, account=account, death_signal=signal.SIGTERM)

    def answers(self) -> bool:
        """Whether the port takes connections."""
        try:
            socket.create_connection((self.host, self.port), timeout=2).close()
        except OSError:
            return False
        return True

    def start(self, timeout_s: float = 30.0) -> None:
        """Start and wait until the port takes connections."""
        self.prepare()
        self.process = self.spawn()
        deadline = time.monotonic() + timeout_s
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StackwattError(
                    f"the broker did not start on {self.bind}:{self.port}: {log_since(self.log)}"
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """Orderly: Mosquitto saves its queues."""
        if self.process is not None:
            end(self.process, signal.SIGTERM, self.STOP_GRACE_S)
            self.process = None

    def kill(self) -> None:
        """`kill -9`, as a crash would: what was acknowledged since the last save is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _password(self) -> str:
        path = self.folder / "password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text(encoding="utf-8")


def _password_hash(password: str) -> str:
    """The form of Mosquitto's password file: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _PBKDF2_ITERATIONS)
    return f"$7${_PBKDF2_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
