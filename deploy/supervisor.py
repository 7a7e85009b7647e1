"""Processes in an order: started one after the other, kept running, stopped in reverse.

A part is data and four functions; what it really is (a database, a broker, one
of our own processes) is not known here. A part that ends by itself is started
again after a growing pause. Everything happens in the main thread, in `pause`:
whoever supervises calls it instead of sleeping. Leaving the context stops
everything, whatever the reason; if this process is killed instead, the kernel
ends the children (`launch`).
"""

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Self

from deploy.process import log_since
from ingest.errors import InputError, StackwattError

_STEP_S = 0.1
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0
_STABLE_S = 60.0
_WRONG_INPUT = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequestedError(StackwattError):
    """Somebody wants the stack to stop: Ctrl-C or a signal."""


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class Part:
    """A process to keep running."""

    name: str
    spawn: Callable[[], subprocess.Popen[bytes]]
    answers: Callable[[], bool]
    """Whether it is ready for use."""
    log: Path
    prepare: Callable[[], None] = _nothing
    """What has to be in order before every start."""
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 30.0
    """How long it may take to stop before it is killed."""
    restart: bool = True
    released: Callable[[], None] = _nothing
    """What is left to do once it is stopped for good."""


@dataclass(slots=True)
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    log_offset: int
    started_at: float
    failures: int = 0
    again_at: float | None = None
    """When it is started again; None while it runs or when it shall not."""


@dataclass(slots=True)
class Supervisor:
    """The parts that run, in order of start."""

    say: Callable[[str], None]
    """One line of progress."""
    _running: list[_Running] = field(default_factory=list)
    _stop_requests: int = 0
    _previous: dict[int, object] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._request_stop)
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            self.stop([running.part.name for running in self._running])
        finally:
            for number, handler in self._previous.items():
                signal.signal(number, handler)  # type: ignore[arg-type]

    def start(self, part: Part) -> None:
        """Start a part and return at once."""
        part.prepare()
        self._running.append(_spawn(part, failures=0))

    def wait(self, names: Sequence[str], timeout_s: float) -> None:
        """Wait until the parts are ready.

        Raises:
            InputError: one of them ended because its input is wrong.
            StackwattError: one ended or is not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        waiting = [running for running in self._running if running.part.name in names]
        while waiting:
            self._look(time.monotonic(), waiting)
            for running in list(waiting):
                name = running.part.name
                if running.process.poll() is not None:
                    said = log_since(running.part.log, running.log_offset)
                    if running.process.returncode == _WRONG_INPUT:
                        raise InputError(said.splitlines()[-1] if said else f"{name} was given wrong input")
                    raise StackwattError(f"{name} {_ending(running.process)} before it was ready: {said}")
                if running.part.answers():
                    self.say(f"{name} is ready")
                    waiting.remove(running)
                elif time.monotonic() > deadline:
                    raise StackwattError(f"{name} is not ready after {timeout_s:g} s; see {running.part.log}")
            if waiting:
                self._check_stop()
                time.sleep(_STEP_S)

    def pause(self, seconds: float) -> None:
        """Sleep, and meanwhile keep the parts running.

        Raises:
            StopRequestedError: somebody wants to stop.
        """
        until = time.monotonic() + seconds
        while True:
            self._check_stop()
            self._look(time.monotonic())
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _STEP_S))

    def exit_code(self, name: str) -> int | None:
        """The exit code of a part, None while it runs."""
        return self._find(name).process.poll()

    def ask_to_stop(self, name: str) -> None:
        """Send a part its stop signal and do not wait; it is not started again."""
        running = self._find(name)
        running.part = replace(running.part, restart=False)
        if running.process.poll() is None:
            running.process.send_signal(running.part.stop_signal)

    def stop(self, names: Sequence[str]) -> None:
        """Stop parts, the last started first, each one gone before the next is asked."""
        for running in [running for running in reversed(self._running) if running.part.name in names]:
            self._running.remove(running)
            self._end(running)
            running.part.released()

    def _end(self, running: _Running) -> None:
        process, part = running.process, running.part
        if process.poll() is not None:
            return
        self.say(f"stopping {part.name}")
        process.send_signal(part.stop_signal)
        asked = self._stop_requests
        deadline = time.monotonic() + part.grace_s
        while process.poll() is None:
            # A second Ctrl-C while we wait: no more patience with this one.
            if time.monotonic() > deadline or self._stop_requests > max(asked, 1):
                self.say(f"{part.name} does not stop: killed")
                process.kill()
                process.wait()
                return
            time.sleep(_STEP_S / 4)

    def _check_stop(self) -> None:
        if self._stop_requests:
            raise StopRequestedError("stopped by a signal before it was done")

    def _look(self, now: float, starting: Sequence[_Running] = ()) -> None:
        """Start again what has ended, unless it is `starting`: a first start that fails is an error."""
        for index, running in enumerate(self._running):
            part = running.part
            if running.process.poll() is None or not part.restart or running in starting:
                continue
            if running.again_at is None:
                failures = running.failures + 1 if now - running.started_at < _STABLE_S else 1
                delay = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2.0 ** (failures - 1))
                said = log_since(part.log, running.log_offset)
                self.say(f"{part.name} {_ending(running.process)}; starting it again in {delay:g} s")
                for line in said.splitlines():
                    self.say(f"  {part.name}: {line}")
                running.failures, running.again_at = failures, now + delay
            elif now >= running.again_at:
                part.prepare()
                self._running[index] = _spawn(part, running.failures)

    def _find(self, name: str) -> _Running:
        return next(running for running in self._running if running.part.name == name)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1


def _spawn(part: Part, failures: int) -> _Running:
    offset = part.log.stat().st_size if part.log.exists() else 0
    return _Running(part, part.spawn(), offset, time.monotonic(), failures)


def _ending(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code is not None and code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
