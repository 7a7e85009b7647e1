"""Who sits at the console, also where no account has the number we run under."""

import getpass
import os
import socket

import pytest

from deploy.console import actor


def test_the_actor_is_the_account_and_the_machine() -> None:
    assert actor().name == f"{getpass.getuser()}@{socket.gethostname()}"


def test_a_number_without_an_account_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert actor().name == f"uid 4000000@{socket.gethostname()}"
