"""Who sits at the console: how the audit log names a change that no key stands behind."""

import getpass
import socket

from ingest.store.audit import Actor


def actor() -> Actor:
    """The account that runs this command, and on which machine."""
    return Actor(f"{getpass.getuser()}@{socket.gethostname()}", "console")
