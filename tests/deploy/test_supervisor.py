"""Starting, keeping and stopping processes: real ones, a shell each."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from deploy.process import ROOT, end, spawn
from deploy.supervisor import Part, StopRequestedError, Supervisor
from ingest.errors import InputError, StackwattError


def shell(folder: Path, name: str, script: str, *, restart: bool = True, grace_s: float = 10.0) -> Part:
    """A part that runs a script and is ready once it has written its ready file."""
    ready = folder / f"{name}.ready"
    log = folder / f"{name}.log"
    text = f"touch {ready}; {script}"
    return Part(
        name=name,
        spawn=partial(spawn, ["/bin/sh", "-c", text], log=log),
        answers=ready.exists,
        log=log,
        restart=restart,
        grace_s=grace_s,
    )


def stays(folder: Path, name: str) -> Part:
    """Runs until it is asked to stop, and writes its name when it is."""
    return shell(
        folder, name, f"trap 'echo {name} >> {folder}/order; exit 0' TERM; while :; do sleep 0.05; done"
    )


def test_parts_stop_in_reverse_order(tmp_path: Path) -> None:
    lines: list[str] = []
    with Supervisor(lines.append) as supervisor:
        for name in ("first", "second", "third"):
            supervisor.start(stays(tmp_path, name))
            supervisor.wait([name], 10)
    assert (tmp_path / "order").read_text().split() == ["third", "second", "first"]
    assert lines[:3] == ["first is ready", "second is ready", "third is ready"]


def test_crashed_part_is_started_again(tmp_path: Path) -> None:
    lines: list[str] = []
    counts = tmp_path / "starts"
    script = f"echo start >> {counts}; [ $(wc -l < {counts}) -ge 3 ] && exec sleep 60; echo broken; exit 7"
    with Supervisor(lines.append) as supervisor:
        supervisor.start(shell(tmp_path, "frail", script))
        wait(lambda: counts.exists() and len(counts.read_text().split()) >= 3, supervisor)
        assert supervisor.exit_code("frail") is None
    assert "frail ended with exit code 7; starting it again in 0.5 s" in lines
    assert "frail ended with exit code 7; starting it again in 1 s" in lines
    assert "  frail: broken" in lines


def test_part_that_shall_not_be_restarted_is_left(tmp_path: Path) -> None:
    with Supervisor(lambda _: None) as supervisor:
        supervisor.start(shell(tmp_path, "once", "exit 3", restart=False))
        wait(lambda: supervisor.exit_code("once") is not None, supervisor)
        supervisor.pause(0.3)
        assert supervisor.exit_code("once") == 3


def test_wrong_input_of_a_part_is_ours(tmp_path: Path) -> None:
    part = shell(tmp_path, "part", "echo plant.yaml: what is wrong >&2; exit 2")
    never = Part(name="part", spawn=part.spawn, answers=lambda: False, log=part.log)
    with (
        pytest.raises(InputError, match=r"^plant\.yaml: what is wrong$"),
        Supervisor(lambda _: None) as supervisor,
    ):
        supervisor.start(never)
        supervisor.wait(["part"], 10)


def test_part_that_ends_before_it_is_ready_says_why(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("something of an earlier run\n")
    part = Part(
        "part", partial(spawn, ["/bin/sh", "-c", "echo no room; exit 5"], log=log), lambda: False, log
    )
    with (
        pytest.raises(StackwattError, match=r"^part ended with exit code 5 before it was ready: no room$"),
        Supervisor(lambda _: None) as supervisor,
    ):
        supervisor.start(part)
        supervisor.wait(["part"], 10)


def test_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    process = spawn(["/nonexistent/program"], log=log)
    assert process.wait(10) == 1
    assert log.read_text() == "/nonexistent/program cannot be started: No such file or directory\n"


def test_signal_stops_everything_and_handlers_are_put_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(StopRequestedError), Supervisor(lambda _: None) as supervisor:
        supervisor.start(stays(tmp_path, "part"))
        supervisor.wait(["part"], 10)
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.pause(60)
    assert (tmp_path / "order").read_text() == "part\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_part_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    lines: list[str] = []
    deaf = shell(tmp_path, "deaf", "trap '' TERM; while :; do sleep 0.05; done", grace_s=0.3)
    with Supervisor(lines.append) as supervisor:
        supervisor.start(deaf)
        supervisor.wait(["deaf"], 10)
    assert lines[-1] == "deaf does not stop: killed"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from deploy.process import spawn
process = spawn(["/bin/sleep", "600"], log=Path({str(tmp_path / "log")!r}))
Path({str(tmp_path / "pid")!r}).write_text(str(process.pid))
print(flush=True)
sys.stdin.read()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    parent.stdout.readline()
    pid = int((tmp_path / "pid").read_text())
    cmdline = Path(f"/proc/{pid}/cmdline")
    wait(lambda: cmdline.read_bytes().startswith(b"/bin/sleep"))
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    wait(lambda: not cmdline.exists() or cmdline.read_bytes() == b"")


def test_end_gives_the_exit_code(tmp_path: Path) -> None:
    process = spawn(["/bin/sleep", "600"], log=tmp_path / "log")
    assert end(process, signal.SIGTERM, 10) == -signal.SIGTERM


def wait(
    condition: Callable[[], bool], supervisor: Supervisor | None = None, timeout_s: float = 20.0
) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        if supervisor is None:
            time.sleep(0.02)
        else:
            supervisor.pause(0.02)
