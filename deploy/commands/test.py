"""`test`: pytest, with whatever arguments it takes."""

import os
import sys

import typer

from deploy.process import ROOT


def test(context: typer.Context) -> None:
    """Run the tests; arguments go to pytest."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *context.args])
