"""What an ingest process is told from outside.

Read once at the edge (command line, environment) and passed in; nothing else in
`ingest` looks at the environment. DSN and broker URL may hold passwords, so they
are never part of a log line.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ingest.errors import InputError
from ingest.evidence.signing import Signer
from ingest.mqtt.backlog import Limits
from ingest.mqtt.tls import BrokerTls


def check_dsn(dsn: str) -> str:
    """Return a connection string that is one; libpq's own words on another would repeat its password.

    Raises:
        InputError: it is none.
    """
    try:
        conninfo_to_dict(dsn)
    except ProgrammingError:
        raise InputError(
            "the database's connection string cannot be read:"
            " expected postgresql://user:password@host:port/database or host=… dbname=…"
        ) from None
    return dsn


def check_session(name: str) -> str:
    """Return a name of sessions that is one.

    Raises:
        InputError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
        raise InputError("the name of the broker's session is 1 to 100 of A-Z, a-z, 0-9, _ and -")
    return name


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Settings of one ingest process."""

    dsn: str = field(repr=False)
    """Of the database."""
    mqtt_url: str | None = field(repr=False, default=None)
    """Of the broker; None: the inbox only."""
    mqtt_session: str = field(repr=False, default="stackwatt")
    """What client ids begin with. Who knows them may take over a session, so it is worth being none that others guess."""
    mqtt_tls: BrokerTls = field(default_factory=BrokerTls)
    """Of `mqtts://`."""
    plants: tuple[Path, ...] = ()
    """Plant files to apply at start; without any, every site the database knows is ingested."""
    http_host: str = "127.0.0.1"
    http_port: int | None = 8081
    """Where health and metrics are served; None: nowhere."""
    wait: bool = True
    """Whether to wait for a site that another ingest holds; else exit 2."""
    holder: str = "ingest"
    """How this process names itself to one that waits for its site."""
    limits: Limits = field(default_factory=Limits)
    """Bounds of what is held in memory per site while the database is away."""
    signer: Signer | None = field(repr=False, default=None)
    """Signs evidence; None: it is made all the same, and signed by who has a key later."""
