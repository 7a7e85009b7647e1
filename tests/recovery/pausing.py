"""A server that is there and does nothing: all its processes stopped."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and its children; without /proc the process alone."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text(encoding="ascii").split() if children.exists() else []
    return [pid, *map(int, found)]


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """SIGSTOP for a process and its children for the length of the block."""
    pids = family(pid)
    for one in pids:
        _send(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in pids:
            _send(one, signal.SIGCONT)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
