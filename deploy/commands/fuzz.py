"""`fuzz`: wrong inputs for every decoder and the plant file, which live beside the tests."""

import os
import sys

import typer

from deploy.process import ROOT


def fuzz(context: typer.Context) -> None:
    """Fuzz all decoders or the one named; --inputs N, --seed S, --json."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "tests/fuzz/run.py", *context.args])
