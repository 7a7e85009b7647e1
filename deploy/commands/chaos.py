"""`chaos`: kills and cuts at random while readings flow; it lives beside the tests."""

import os
import sys

import typer

from deploy.process import ROOT


def chaos(context: typer.Context) -> None:
    """Kill and cut everything at random, prove that nothing is lost; --minutes, --seed, --json, --kill-broker.

    `chaos webhooks` does so with what delivers events; --events, --kills, --seed, --json.
    """
    os.chdir(ROOT)
    run, arguments = "tests/chaos/run.py", context.args
    if arguments[:1] == ["webhooks"]:
        run, arguments = "tests/chaos/webhook_kills.py", arguments[1:]
    os.execv(sys.executable, [sys.executable, run, *arguments])
