"""`chaos`: kills and cuts at random while readings flow; it lives beside the tests."""

import os
import sys

import typer

from deploy.process import ROOT


def chaos(context: typer.Context) -> None:
    """Kill and cut everything at random, prove that nothing is lost; --minutes, --seed, --json, --kill-broker."""
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "tests/chaos/run.py", *context.args])
