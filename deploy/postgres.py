"""The embedded PostgreSQL: a wheel's binaries, a folder, one child process.

The server is a plain `postgres` in the foreground under whoever supervises it.
Its folder holds `data`, `run` (the socket) and `password`, all of them open to
the server's account only. It listens on a Unix socket, and on 127.0.0.1 only
where a port is asked for. A folder that was left by a crash is simply started
again. Nothing here uses the wheel's Python API: as root that adds a system
user, opens every parent folder and trusts every local user.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from deploy.account import Account, can_reach, own_folder, write_private
from deploy.pg_programs import PROGRAMS, find_wheel
from deploy.process import end, log_since, spawn
from ingest.errors import StackwattError

USER = "stackwatt"
DATABASE = "stackwatt"
_SOCKET_NAME_PORT = 5432
_SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes, macOS 104

_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "60",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "synchronous_commit": "on",
    "jit": "off",  # queries here are short; compiling them costs more than they do
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "password_encryption": "scram-sha-256",
}


def find_programs(home: Path, account: Account | None) -> Path:
    """The wheel's binaries, or a copy of them in `home` if the account cannot reach the wheel."""
    package = find_wheel()
    if package is None:
        raise StackwattError("there is no embedded PostgreSQL for this platform: give a server by --dsn")
    folder = package / PROGRAMS
    if account is None or can_reach(folder, account):
        return folder
    copy = home / "programs"
    if not copy.exists():
        draft = home / "programs.new"
        shutil.rmtree(draft, ignore_errors=True)
        # The binaries find their libraries by this layout.
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall18" / part, draft / package.name / "pginstall18" / part)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        draft.rename(copy)
    return copy / package.name / PROGRAMS


class PostgresServer:
    """One embedded server: `start`, `stop`, `kill` as often as wanted."""

    STOP_SIGNAL = signal.SIGINT
    """Fast shutdown: sessions are ended, everything is written."""
    STOP_GRACE_S = 60.0

    def __init__(
        self,
        home: Path,
        account: Account | None,
        *,
        log: Path | None = None,
        port: int | None = None,
        durable: bool = True,
    ) -> None:
        """`home` exists and the account can pass through it; `durable=False` leaves out fsync (tests)."""
        self.folder = own_folder(home / "postgres", account)
        self.log = log or home / "postgres.log"
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None
        self._account = account
        self._durable = durable
        self._programs = find_programs(home, account)
        self._sockets = self._socket_folder()

    @property
    def version(self) -> str:
        """As the binary says it, e.g. `postgres (PostgreSQL) 18.4`."""
        return self._run("postgres", "--version").strip()

    def dsn(self, database: str = DATABASE) -> str:
        """Connection string over the Unix socket, with the password."""
        return make_conninfo(
            host=str(self._sockets),
            port=self.port or _SOCKET_NAME_PORT,
            user=USER,
            password=(self.folder / "password").read_text(encoding="utf-8"),
            dbname=database,
        )

    def command(self) -> list[str]:
        """What to run, in the foreground, to have the server."""
        settings = dict(_SETTINGS)
        settings["unix_socket_directories"] = str(self._sockets)
        settings["unix_socket_permissions"] = "0700"
        settings["listen_addresses"] = "127.0.0.1" if self.port else ""
        settings["port"] = str(self.port or _SOCKET_NAME_PORT)
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options]

    def prepare(self) -> None:
        """Make the data folder if there is none and clear what a crash left."""
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(data)
        self._clear_stale_pid(data / "postmaster.pid")

    def start(self, timeout_s: float = 60.0) -> None:
        """Start, wait until it answers, and see that the database exists."""
        self.prepare()
        deadline = time.monotonic() + timeout_s
        while True:
            if self.process is None or self.process.poll() is not None:
                # After kill -9 its backends may hold the shared memory a moment longer: try again.
                self.process = self.spawn()
            if self.answers():
                return
            if time.monotonic() > deadline:
                self.stop()
                raise StackwattError(
                    f"PostgreSQL did not start within {timeout_s:g} s: {log_since(self.log)}"
                )
            time.sleep(0.05)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the server's process and return at once."""
        return spawn(self.command(), log=self.log, account=self._account, death_signal=self.STOP_SIGNAL)

    def answers(self) -> bool:
        """Whether the server takes connections; makes the database the first time it does."""
        try:
            with psycopg.connect(self.dsn("postgres"), autocommit=True, connect_timeout=5) as connection:
                found = connection.execute(
                    "SELECT FROM pg_database WHERE datname = %s", (DATABASE,)
                ).fetchone()
                if found is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Orderly, ending what sessions there are."""
        if self.process is not None:
            end(self.process, self.STOP_SIGNAL, self.STOP_GRACE_S)
            self.process = None
        self.remove_sockets()

    def kill(self) -> None:
        """`kill -9`, as a crash would; `start` recovers."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove_sockets(self) -> None:
        """Remove the socket folder if it had to lie outside of the state folder."""
        if not self._sockets.is_relative_to(self.folder):
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _socket_folder(self) -> Path:
        inside = self.folder / "run"
        if len(os.fsencode(inside)) + len("/.s.PGSQL.65535") <= _SOCKET_PATH_LIMIT:
            return own_folder(inside, self._account)
        return own_folder(Path(tempfile.mkdtemp(prefix="stackwatt-")), self._account)

    def _initialise(self, data: Path) -> None:
        draft = data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)  # an initdb that was interrupted
        password = self.folder / "password"
        write_private(password, secrets.token_urlsafe(24), self._account)
        options = ["--no-sync"] if not self._durable else []
        self._run(
            "initdb",
            *("-D", str(draft), "--username", USER, "--pwfile", str(password), "--auth", "scram-sha-256"),
            *(
                "--encoding",
                "UTF8",
                "--locale",
                "C",
                "--locale-provider",
                "builtin",
                "--builtin-locale",
                "C.UTF-8",
            ),
            *options,
        )
        draft.rename(data)

    def _clear_stale_pid(self, pid_file: Path) -> None:
        """Wait for a server of ours that is still going down; remove the file if no such server lives.

        PostgreSQL does the latter itself unless the number now belongs to another process of the
        same account, which is the rule rather than the exception in a restarted container.
        """
        deadline = time.monotonic() + self.STOP_GRACE_S
        while pid_file.exists():
            lines = pid_file.read_text(encoding="utf-8").splitlines()
            pid = int(lines[0]) if lines and lines[0].isdigit() else 0
            if not _is_postgres_of(pid, self.folder / "data"):
                pid_file.unlink(missing_ok=True)
                return
            os.kill(pid, self.STOP_SIGNAL)
            if time.monotonic() > deadline:
                raise StackwattError(f"PostgreSQL (pid {pid}) still runs on {self.folder} and does not stop")
            time.sleep(0.1)

    def _run(self, program: str, *arguments: str) -> str:
        account = self._account
        result = subprocess.run(
            [str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
        if result.returncode != 0:
            raise StackwattError(f"{program} failed: {(result.stderr or result.stdout).strip()}")
        return result.stdout


def _is_postgres_of(pid: int, data: Path) -> bool:
    """Whether process `pid` is a PostgreSQL server on this folder; without /proc, whether it lives."""
    if pid <= 0:
        return False
    if Path("/proc/self").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(data) in words and words[0].endswith(b"postgres")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    return True
