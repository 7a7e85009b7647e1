"""`test`: pytest, with whatever arguments it takes; all of the tests go to one process per core, and one more."""

import os
import sys

import typer

from deploy.process import ROOT

MOST_PROCESSES = 4
"""Each has a database server and compiled kernels of its own, some 500 MB; most tests wait more than they compute."""


def test(context: typer.Context) -> None:
    """Run the tests; arguments go to pytest."""
    os.chdir(ROOT)
    side_by_side = ["-n", str(min((os.cpu_count() or 1) + 1, MOST_PROCESSES)), "--dist", "worksteal"]
    arguments = context.args or side_by_side
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])
