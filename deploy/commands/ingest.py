"""`ingest`: the process that turns messages into facts."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands import options

Url = Annotated[
    str | None,
    typer.Option(
        envvar="STACKWATT_MQTT_URL", help="mqtt://[user:password@]host[:port]; none: only the inbox."
    ),
]


def ingest(
    plant: Annotated[list[Path] | None, typer.Option(help="Plant file; may be given more than once.")] = None,
    dsn: options.Dsn = None,
    mqtt_url: Url = None,
    http_host: Annotated[str, typer.Option(help="Address of health and metrics.")] = "127.0.0.1",
    http_port: Annotated[int, typer.Option(help="Port of health and metrics.")] = 8081,
    wait: Annotated[bool, typer.Option(help="Wait for a site that another ingest holds, or exit 2.")] = True,
) -> None:
    """Run ingest for the plants given, until SIGTERM; then it drains."""
    from ingest import main

    given = options.stored_dsn(dsn)
    raise typer.Exit(asyncio.run(main.run(given, mqtt_url, list(plant or ()), http_host, http_port, wait)))
