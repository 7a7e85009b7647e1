"""Fuzzing: inputs that follow from a seed, and what must hold of whatever they do.

A target makes an input from a generator and runs it; it raises where a property
is violated: another exception than the documented refusal, a refusal that is not
one sentence, a value outside its bounds. Here it is seen that nothing hangs (CPU
time, in proportion to the input) and that memory stays bounded. Where an input
fails, target, seed and number are said: `python -m tests.fuzz.run --only` repeats it.
"""

import random
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

from ingest.errors import StackwattError

HANG_S = 20.0
"""Wall time of one input after which it counts as hanging, on a machine however busy."""
SLOW_S, SLOW_S_PER_BYTE = 1.0, 50e-6
"""CPU time an input may take, at most: a hundred times what the slowest decoder takes."""
GROWN_KIB = 512 * 1024
"""Memory that all inputs together may add to the largest seen before."""


class Target(Protocol):
    """Something that takes input from outside."""

    name: str

    def make(self, draw: random.Random) -> bytes:
        """An input."""

    def run(self, data: bytes) -> bool:
        """Take the input; whether it was accepted. Raises where a property is violated."""


class HangError(Exception):
    """An input took longer than any should."""


@dataclass(slots=True)
class Outcome:
    """What a target has been through."""

    inputs: int = 0
    accepted: int = 0
    bytes: int = 0
    cpu_s: float = 0.0
    slowest_s: float = 0.0
    slowest: tuple[int, int] = (0, 0)
    """Its number and size."""
    grown_kib: int = 0
    failures: list[str] = field(default_factory=list)


def fuzz(target: Target, seed: int, numbers: range, most_failures: int = 1) -> Outcome:
    """Run the inputs with these numbers; stops after so many failures."""
    outcome = Outcome()
    before_kib = largest_kib()
    for number in numbers:
        data = target.make(random.Random(f"{target.name} {seed} {number}"))
        begun = time.process_time()
        accepted, failure = _ran(target, data)
        took_s = time.process_time() - begun
        if not failure and took_s > SLOW_S + SLOW_S_PER_BYTE * len(data):
            failure = f"took {took_s:.2f} s of CPU for {len(data)} bytes"
        if failure:
            outcome.failures.append(f"{target.name} seed {seed} number {number}: {failure}\n  {data[:300]!r}")
            if len(outcome.failures) >= most_failures:
                break
            continue
        outcome.inputs += 1
        outcome.accepted += accepted
        outcome.bytes += len(data)
        outcome.cpu_s += took_s
        if took_s > outcome.slowest_s:
            outcome.slowest_s, outcome.slowest = took_s, (number, len(data))
    outcome.grown_kib = largest_kib() - before_kib
    if outcome.grown_kib > GROWN_KIB:
        outcome.failures.append(f"{target.name} seed {seed}: memory grew by {outcome.grown_kib} KiB")
    return outcome


def _ran(target: Target, data: bytes) -> tuple[bool, str]:
    """Whether the input was accepted, and what is wrong with what happened."""
    try:
        with _at_most(HANG_S):
            return target.run(data), ""
    except Exception as error:  # noqa: BLE001  any exception at all is what is looked for
        return False, f"{type(error).__name__}: {error}"


def largest_kib() -> int:
    """The most memory this process has ever held, KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def is_sentence(text: str) -> bool:
    """Whether a refusal can be shown, logged and stored as the one sentence it is meant to be."""
    text.encode()
    return 0 < len(text) <= 2000 and text.isprintable()


def refused(error: StackwattError) -> bool:
    """The documented refusal has come: it must be a sentence. Returns that nothing was accepted."""
    assert is_sentence(str(error)), str(error)
    return False


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    before = signal.signal(signal.SIGALRM, _ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(number: int, frame: FrameType | None) -> None:
    raise HangError(f"took longer than {HANG_S} s")
