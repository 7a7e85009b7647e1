"""`bench`: the benchmarks, which live beside the tests and not among them."""

import os
import sys

import typer

from deploy.process import ROOT


def bench(context: typer.Context) -> None:
    """Run all benchmarks or the one named; --json for one JSON object."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "tests/benchmarks/run.py", *context.args])
