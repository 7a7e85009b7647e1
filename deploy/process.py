"""Starting and ending one child process.

Every child has its own session (Ctrl-C reaches only us, and we stop children
in order), writes to a log file, and dies with us (`launch`). What to start,
when and how often is the supervisor's business, not this module's.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.account import Account

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: what children run in, so that `python -m deploy` is this one."""

_LAUNCH = Path(__file__).with_name("launch.py")
_LOG_LIMIT_BYTES = 20_000_000


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output appended to `log`; must be called in the main thread.

    `death_signal` is what the kernel sends it when we die without stopping it.
    The parent that counts is the thread that called, hence the main thread.
    """
    uid, gid = (-1, -1) if account is None else (account.uid, account.gid)
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    numbers = map(str, (int(death_signal), os.getpid(), uid, gid))
    prefix = [sys.executable, "-I", "-S", str(_LAUNCH), *numbers]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=ROOT,
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], stop_signal: signal.Signals, grace_s: float) -> int:
    """Ask the process to stop, wait at most `grace_s`, then kill it; its exit code."""
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        return process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def log_since(log: Path, offset: int = 0, lines: int = 5) -> str:
    """The last lines a process has written since its log had `offset` bytes: why it ended."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        size = log.stat().st_size
        file.seek(max(offset if offset <= size else 0, size - 8_192))  # smaller: it was turned over
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
