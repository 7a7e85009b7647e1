"""Options that more than one command has."""

import json
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from ingest.errors import InputError, StackwattError

State = Annotated[Path, typer.Option(help="Folder for everything the stack keeps.")]
Bind = Annotated[str, typer.Option(help="Address to listen on.")]
HttpPort = Annotated[int | None, typer.Option(help="Port of the HTTP API and the page [default: from 8080].")]
MqttPort = Annotated[int | None, typer.Option(help="Port of our own broker [default: from 1883].")]
IngestPort = Annotated[
    int | None, typer.Option(help="Port of ingest's health and metrics [default: from 8081].")
]
PgPort = Annotated[int | None, typer.Option(help="Loopback port of the embedded PostgreSQL [default: none].")]
BrokerChoice = Annotated[str, typer.Option("--broker", help="`own`, or `external` with --mqtt-url.")]
MqttUrl = Annotated[
    str | None, typer.Option(help="mqtt://[user:password@]host[:port]; better in STACKWATT_MQTT_URL.")
]
Dsn = Annotated[
    str | None,
    typer.Option(envvar="STACKWATT_DSN", help="PostgreSQL connection string; better in the environment."),
]
AdminKey = Annotated[
    str | None, typer.Option(envvar="STACKWATT_ADMIN_KEY", hidden=True, help="Only from the environment.")
]


def stored_dsn(given: str | None, state: Path = Path(".state")) -> str:
    """The database to work on: the one given, else the embedded one of `./.state`."""
    if given is not None:
        return given
    file = state / "endpoints.json"
    try:
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"no database: give one by --dsn or STACKWATT_DSN, or run where ./run up has left {file}"
        ) from error
    return str(body["dsn"])


def unreachable(error: psycopg.OperationalError) -> StackwattError:
    """One sentence for a database that is not there; libpq's own may have several lines."""
    return StackwattError(f"the database cannot be reached: {' '.join(str(error).split())}")
