"""What recovery tests need besides a database and a broker."""

import socket

import pytest


@pytest.fixture
def http_port(free_port: int) -> int:
    """A port for ingest's health and metrics; `free_port` is the broker's."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port != free_port:
            return port
