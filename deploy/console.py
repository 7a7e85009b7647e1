"""Who sits at the console: how the audit log names a change that no key stands behind."""

import getpass
import os
import socket

from ingest.store.audit import Actor


def actor() -> Actor:
    """The account that runs this command, and on which machine."""
    return Actor(f"{_account()}@{socket.gethostname()}", "console")


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that no account has
        return f"uid {os.getuid()}"
