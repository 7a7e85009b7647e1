"""Options that more than one command has."""

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[Path, typer.Option(help="Folder for everything the stack keeps.")]
Bind = Annotated[str, typer.Option(help="Address to listen on.")]
HttpPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of the HTTP API and the page [default: from 8080].")
]
MqttPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of our own broker [default: from 1883].")
]
IngestPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port of ingest's health and metrics [default: from 8081]."),
]
PgPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Loopback port of the embedded PostgreSQL [default: none]."),
]
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

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""Of our processes; their output goes to standard error."""
